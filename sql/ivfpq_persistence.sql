-- Tables of every persistence, and the statements that rewrite a table or an index.
SET enable_seqscan = off;
CREATE FUNCTION fill(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %s SELECT i, ARRAY[i, sqrt(i), 1]::vector FROM generate_series(1, 100) AS i', relation);
END
$$;
-- The nearest five and how many rows there are, by index
CREATE FUNCTION look(relation regclass) RETURNS TABLE (nearest int[], rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT
        ARRAY(SELECT id FROM %s ORDER BY v <-> ''[50.3,7,1]'' LIMIT 5),
        (SELECT count(*) FROM (SELECT id FROM %1$s ORDER BY v <-> ''[50.3,7,1]'' LIMIT 1000) AS found)', relation);
END
$$;

-- Unlogged, and there and back
CREATE UNLOGGED TABLE unlogged (id int, v vector(3));
CREATE INDEX unlogged_v ON unlogged USING ivfpq (v vector_l2_ops);
SELECT fill('unlogged');
SELECT * FROM look('unlogged');
SELECT * FROM ivfpq_check('unlogged_v');
ALTER TABLE unlogged SET LOGGED;
SELECT * FROM look('unlogged');
INSERT INTO unlogged VALUES (101, '[50.3,7,1]');
SELECT * FROM look('unlogged');
SELECT * FROM ivfpq_check('unlogged_v');
ALTER TABLE unlogged SET UNLOGGED;
DELETE FROM unlogged WHERE id = 101;
VACUUM unlogged;
SELECT * FROM look('unlogged');
REINDEX TABLE unlogged;
SELECT * FROM look('unlogged');
SELECT * FROM ivfpq_check('unlogged_v');

-- Temporary
CREATE TEMPORARY TABLE brief (id int, v vector(3));
CREATE INDEX brief_v ON brief USING ivfpq (v vector_l2_ops);
SELECT fill('brief');
DELETE FROM brief WHERE id % 10 = 0;
VACUUM brief;
SELECT * FROM look('brief');
SELECT * FROM ivfpq_check('brief_v');
BEGIN;
CREATE TEMPORARY TABLE gone (id int, v vector(3)) ON COMMIT DELETE ROWS;
CREATE INDEX gone_v ON gone USING ivfpq (v vector_l2_ops);
SELECT fill('gone');
SELECT rows FROM look('gone');
COMMIT;
SELECT rows FROM look('gone');
SELECT * FROM ivfpq_check('gone_v');

-- Statements that write the table or the index anew
CREATE TABLE items (id int PRIMARY KEY, v vector(3)) WITH (autovacuum_enabled = off);
SELECT fill('items');
CREATE INDEX CONCURRENTLY items_v ON items USING ivfpq (v vector_l2_ops);
SELECT indisvalid FROM pg_index WHERE indexrelid = 'items_v'::regclass;
SELECT * FROM look('items');
DELETE FROM items WHERE id > 90;
REINDEX INDEX items_v;
SELECT * FROM look('items');
REINDEX INDEX CONCURRENTLY items_v;
SELECT * FROM look('items');
SELECT * FROM ivfpq_check('items_v');
CLUSTER items USING items_pkey;
SELECT * FROM look('items');
SELECT * FROM ivfpq_check('items_v');
VACUUM FULL items;
SELECT * FROM look('items');
SELECT * FROM ivfpq_check('items_v');
ALTER TABLE items ALTER COLUMN v TYPE halfvec(3);
ALTER TABLE items ALTER COLUMN v TYPE vector(4);
ALTER TABLE items ALTER COLUMN id TYPE bigint;
SELECT * FROM ivfpq_check('items_v');
ALTER TABLE items ALTER COLUMN id TYPE int;
SELECT * FROM look('items');
CLUSTER items USING items_v;
CREATE MATERIALIZED VIEW copy AS SELECT * FROM items;
CREATE INDEX copy_v ON copy USING ivfpq (v vector_l2_ops);
SELECT * FROM look('copy');
DELETE FROM items WHERE id % 2 = 0;
REFRESH MATERIALIZED VIEW copy;
SELECT rows FROM look('copy');
SELECT * FROM ivfpq_check('copy_v');

-- Another tablespace
SET allow_in_place_tablespaces = true;
CREATE TABLESPACE ivfpq_space LOCATION '';
ALTER INDEX items_v SET TABLESPACE ivfpq_space;
SELECT rows FROM look('items');
REINDEX (TABLESPACE pg_default) INDEX items_v;
SELECT rows FROM look('items');
SELECT * FROM ivfpq_check('items_v');
DROP TABLESPACE ivfpq_space;

-- An aborted transaction leaves nothing; a dropped index no file
BEGIN;
CREATE INDEX items_again ON items USING ivfpq (v vector_cosine_ops);
SELECT pg_relation_size('items_again') > 0 AS written;
ROLLBACK;
SELECT to_regclass('items_again');
SELECT rows FROM look('items');
SELECT * FROM ivfpq_check('items_v');
DROP INDEX items_v;
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 1;
DROP MATERIALIZED VIEW copy;
DROP TABLE items, unlogged, brief, gone;
DROP FUNCTION fill, look;

-- Builds whose table is scanned by workers: the same pages for any number of them, with NULLs, duplicates,
-- dead rows, predicates and expressions. (That workers do come is for test/t/006_parallel_build.pl.)
SET enable_seqscan = off;
SET min_parallel_table_scan_size = 0;
SET max_parallel_maintenance_workers = 3;
-- Unlogged, so that pages differ by their contents only
CREATE UNLOGGED TABLE items (id int, price int, v vector(24));
INSERT INTO items SELECT i, i % 10, array_agg(3 + sin(i * d * 0.618))::vector FROM generate_series(1, 4000) AS i,
    generate_series(1, 24) AS d GROUP BY i ORDER BY i;
INSERT INTO items SELECT id + 10000, price, v FROM items WHERE id % 5 = 0;
INSERT INTO items SELECT 20000 + i, i % 10, NULL FROM generate_series(1, 500) AS i;
-- Dead whatever snapshots there are
BEGIN;
INSERT INTO items SELECT id, price, v FROM items WHERE id % 7 = 0;
UPDATE items SET price = 100 WHERE id % 3 = 0;
DELETE FROM items WHERE id % 17 = 0;
ROLLBACK;
INSERT INTO items SELECT 25000 + id, price, v FROM items WHERE id < 20;

-- All pages but the metapage, which has an identifier of the build
CREATE FUNCTION pages(index regclass) RETURNS text LANGUAGE sql AS $$
    SELECT md5(pg_read_binary_file(pg_relation_filepath(index), 8192, pg_relation_size(index) - 8192)) $$;
CREATE FUNCTION compare(definition text) RETURNS TABLE (workers int, same bool, elements bigint, rows bigint,
    flaws bigint) LANGUAGE plpgsql AS $$
DECLARE
    first text;
BEGIN
    FOREACH workers IN ARRAY ARRAY[0, 1, 3] LOOP
        EXECUTE format('ALTER TABLE items SET (parallel_workers = %s)', workers);
        EXECUTE 'CREATE INDEX items_v ON items USING hnsw ' || definition;
        first := coalesce(first, pages('items_v'));
        same := first = pages('items_v');
        SELECT s.elements, s.heap_tids INTO elements, rows FROM hnsw_stats('items_v') AS s;
        SELECT count(*) INTO flaws FROM hnsw_check('items_v');
        RETURN NEXT;
        DROP INDEX items_v;
    END LOOP;
END
$$;
SELECT * FROM compare('(v vector_l2_ops)');
SELECT * FROM compare('(v vector_cosine_ops) WHERE price = 3');
SELECT * FROM compare('((v::halfvec(24)) halfvec_ip_ops)');
SELECT * FROM compare('((subvector(v, 2, 20)::vector(20)) vector_l2_ops) WHERE id % 2 = 0');
SELECT * FROM compare('(v vector_l2_ops) WHERE v IS NULL');

-- The same with a leader that is slow with the first rows: workers have the others by then.
CREATE FUNCTION slow(v vector, id int) RETURNS vector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF id < 200 AND pg_backend_pid()::text = current_setting('test.leader') THEN PERFORM pg_sleep(0.001); END IF;
    RETURN v;
END
$$;
SELECT set_config('test.leader', pg_backend_pid()::text, false) <> '';
SELECT * FROM compare('((slow(v, id)::vector(24)) vector_l2_ops)');

-- What a build of workers finds
ALTER TABLE items SET (parallel_workers = 3);
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WHERE price < 5;
SELECT count(*) FROM (SELECT id FROM items WHERE price < 5 ORDER BY v <-> array_fill(3, ARRAY[24])::vector) AS found;
SET enable_indexscan = off;
SELECT count(*) FROM items WHERE price < 5 AND v IS NOT NULL;
SET enable_indexscan = on;

-- The table's statistics are those of the whole scan
SELECT reltuples = (SELECT count(*) FROM items) FROM pg_class WHERE relname = 'items';
SELECT reltuples = (SELECT count(*) FROM items WHERE price < 5 AND v IS NOT NULL) FROM pg_class
WHERE relname = 'items_v';

-- An error in whichever process meets the row
CREATE FUNCTION refuse(v vector, id int) RETURNS vector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF id = 2222 THEN RAISE EXCEPTION 'not this row' USING HINT = 'Another one.'; END IF;
    RETURN v;
END
$$;
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE INDEX refused ON items USING hnsw ((refuse(v, id)::vector(24)) vector_l2_ops);
CREATE INDEX refused ON items USING hnsw ((array_fill(id, ARRAY[id % 2 + 1])::vector(1)) vector_l2_ops);
DO $$
BEGIN
    CREATE INDEX refused ON items USING hnsw ((refuse(v, id)::vector(24)) vector_l2_ops);
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'caught: %', SQLERRM;
    CREATE TABLE refused AS SELECT count(*) FROM items;
END
$$;
SELECT * FROM refused;
DROP TABLE refused;

-- Not for workers: temporary tables, what is not parallel safe
CREATE TEMP TABLE mine WITH (parallel_workers = 3) AS SELECT id, v FROM items;
ALTER TABLE mine ALTER v TYPE vector(24);
CREATE INDEX mine_v ON mine USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_check('mine_v');
CREATE FUNCTION alone(v vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED AS $$
BEGIN
    RETURN v;
END
$$;
CREATE INDEX items_alone ON items USING hnsw ((alone(v)::vector(24)) vector_l2_ops);
SELECT * FROM hnsw_check('items_alone');

-- One snapshot for all: rows of this transaction, and an empty table
BEGIN;
INSERT INTO items SELECT 30000 + id, price, v FROM items WHERE id <= 100;
CREATE INDEX items_again ON items USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_check('items_again');
ROLLBACK;
CREATE TABLE nothing (v vector(24)) WITH (parallel_workers = 3);
CREATE INDEX nothing_v ON nothing USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_check('nothing_v');
INSERT INTO nothing VALUES (array_fill(1, ARRAY[24])::vector);
REINDEX INDEX nothing_v;
SELECT * FROM hnsw_check('nothing_v');
DROP TABLE items, nothing;
DROP FUNCTION pages, compare, slow, refuse, alone;

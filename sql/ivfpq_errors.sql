-- What the index refuses, and that a refusal loses nothing.
CREATE TABLE items (id int, v vector(3), any_vector vector, h halfvec(3), note text, numbers float4[]);
INSERT INTO items SELECT i, ARRAY[i, 1, 2]::vector, ARRAY[i, 1, 2]::vector, ARRAY[i, 1, 2]::halfvec, 'x',
    ARRAY[i, 1, 2] FROM generate_series(1, 10) AS i;

-- Columns that cannot be indexed
CREATE INDEX ON items USING ivfpq (any_vector vector_l2_ops);
CREATE INDEX ON items USING ivfpq ((v + v) vector_l2_ops);
CREATE INDEX ON items USING ivfpq (v);
CREATE INDEX ON items USING ivfpq (note);
CREATE INDEX ON items USING ivfpq (numbers);
CREATE INDEX ON items USING ivfpq (h vector_l2_ops);
CREATE INDEX ON items USING ivfpq (v halfvec_l2_ops);
CREATE INDEX ON items USING ivfpq (v vector_hamming_ops);
CREATE TABLE too_wide (v vector(16001));
CREATE INDEX ON items USING ivfpq ((any_vector::vector(16001)) vector_l2_ops);
CREATE INDEX ON items USING ivfpq ((any_vector::vector(4)) vector_l2_ops);
-- Forms that the access method does not have
CREATE INDEX ON items USING ivfpq (v vector_l2_ops, h halfvec_l2_ops);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) INCLUDE (id);
CREATE UNIQUE INDEX ON items USING ivfpq (v vector_l2_ops);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops DESC);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops NULLS FIRST);
\set VERBOSITY sqlstate
ALTER TABLE items ADD EXCLUDE USING ivfpq (v vector_l2_ops WITH <->);
\set VERBOSITY default
SELECT count(*) FROM pg_index WHERE indrelid = 'items'::regclass;

-- Values and queries of another number of dimensions
CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops);
CREATE INDEX items_cast ON items USING ivfpq ((any_vector::vector(3)) vector_l2_ops) WHERE id <> 50;
INSERT INTO items (id, v) VALUES (11, '[1,2]');
INSERT INTO items (id, any_vector) VALUES (12, '[1,2]');
INSERT INTO items (id, any_vector) VALUES (50, '[1,2]');
UPDATE items SET id = 51 WHERE id = 50;
INSERT INTO items (id, v) VALUES (13, '[1,2,NaN]');
INSERT INTO items (id, v) VALUES (13, '[1,2,Infinity]');
SET enable_seqscan = off;
SELECT id FROM items ORDER BY v <-> '[1,2]' LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[1,2,3,4]' LIMIT 1;
SELECT id FROM items ORDER BY v <-> (SELECT '[1,2]'::vector) LIMIT 1;
SELECT id FROM items ORDER BY v <-> '' LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[1,NaN,1]' LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[3,1,2]' LIMIT 1;
SELECT count(*) FROM items;
SELECT * FROM ivfpq_check('items_v');
SELECT * FROM ivfpq_check('items_cast');

-- An error inside a savepoint leaves the index as it was for the rest of the transaction
BEGIN;
INSERT INTO items (id, v) VALUES (20, '[20,1,2]');
SAVEPOINT before;
INSERT INTO items (id, v) SELECT 30 + i, CASE WHEN i < 5 THEN ARRAY[30 + i, 1, 2] ELSE ARRAY[1, 2] END::vector
FROM generate_series(1, 5) AS i;
ROLLBACK TO before;
SELECT id FROM items ORDER BY v <-> '[31,1,2]' LIMIT 1;
COMMIT;
SELECT id FROM items ORDER BY v <-> '[31,1,2]' LIMIT 1;

-- The inspection functions want an ivfpq index of their caller
SELECT * FROM ivfpq_check('items');
SELECT * FROM ivfpq_meta('pg_class_oid_index');
SELECT * FROM ivfpq_stats(0);
CREATE INDEX items_graph ON items USING hnsw (v vector_l2_ops);
SELECT * FROM ivfpq_lists('items_graph');
SELECT * FROM hnsw_stats('items_v');
DROP INDEX items_graph;
CREATE ROLE ivfpq_guest;
SET ROLE ivfpq_guest;
SELECT * FROM ivfpq_check('items_v');
SELECT * FROM ivfpq_meta('items_v');
SELECT * FROM ivfpq_stats('items_v');
SELECT * FROM ivfpq_lists('items_v');
RESET ROLE;
DROP ROLE ivfpq_guest;

SELECT * FROM ivfpq_check('items_v');
SELECT * FROM ivfpq_check('items_cast');
DROP TABLE items;

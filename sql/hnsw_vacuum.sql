-- VACUUM: dead elements leave the graph, their slots are used again, and what hnsw_meta, hnsw_stats
-- and hnsw_check say about it.
SET enable_seqscan = off;
CREATE TABLE points (id int, v vector(2)) WITH (autovacuum_enabled = off);
CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops);
SELECT entry_record, entry_level FROM hnsw_meta('points_v');
INSERT INTO points SELECT i, ARRAY[i, 0]::vector FROM generate_series(1, 300) AS i;
SELECT format_version, dimensions, metric, m, ef_construction, degree FROM hnsw_meta('points_v');
SELECT elements, heap_tids, dead, unlinked, stale_edges FROM hnsw_stats('points_v');

-- Before VACUUM, deleted rows are passed over; after it, they are gone
DELETE FROM points WHERE id % 3 <> 0;
SELECT array_agg(id) FROM (SELECT id FROM points ORDER BY v <-> '[0,0]' LIMIT 4) AS nearest;
VACUUM points;
SELECT array_agg(id) FROM (SELECT id FROM points ORDER BY v <-> '[0,0]' LIMIT 4) AS nearest;
SELECT elements, heap_tids, dead, unlinked >= 200 AS unlinked, stale_edges
FROM hnsw_stats('points_v');
SELECT * FROM hnsw_check('points_v');

-- New elements take the slots (test/t/010_vacuum.pl watches the file's size)
INSERT INTO points SELECT i, ARRAY[i, 0]::vector FROM generate_series(301, 500) AS i;
SELECT elements, heap_tids, dead, stale_edges FROM hnsw_stats('points_v');
SELECT * FROM hnsw_check('points_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM points ORDER BY v <-> '[0,0]') AS all_rows;

-- An UPDATE that keeps the vector keeps the element; the old row's TID goes
UPDATE points SET id = -id;
VACUUM points;
SELECT elements, heap_tids, dead FROM hnsw_stats('points_v');
SELECT * FROM hnsw_check('points_v');

-- The last element goes, and the index begins anew
DELETE FROM points;
VACUUM points;
SELECT entry_record, entry_level FROM hnsw_meta('points_v');
SELECT elements, heap_tids, dead, edges, levels FROM hnsw_stats('points_v');
SELECT * FROM hnsw_check('points_v');
SELECT id FROM points ORDER BY v <-> '[0,0]' LIMIT 1;
INSERT INTO points SELECT i, ARRAY[i, 0]::vector FROM generate_series(1, 300) AS i;
SELECT array_agg(id) FROM (SELECT id FROM points ORDER BY v <-> '[0,0]' LIMIT 4) AS nearest;
SELECT * FROM hnsw_check('points_v');

-- Many rows of one vector: their records leave the chain
CREATE TABLE copies (id serial, v vector(2)) WITH (autovacuum_enabled = off);
CREATE INDEX copies_v ON copies USING hnsw (v vector_l2_ops);
INSERT INTO copies (v) SELECT '[1,2]' FROM generate_series(1, 1000);
SELECT elements, heap_tids, tid_records > 1 AS chained FROM hnsw_stats('copies_v');
DELETE FROM copies WHERE id BETWEEN 10 AND 990;
VACUUM copies;
SELECT elements, heap_tids, tid_records FROM hnsw_stats('copies_v');
SELECT * FROM hnsw_check('copies_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM copies ORDER BY v <-> '[1,2]') AS found;
INSERT INTO copies (v) SELECT '[1,2]' FROM generate_series(1, 1000);
SELECT elements, heap_tids FROM hnsw_stats('copies_v');
DELETE FROM copies;
VACUUM copies;
SELECT elements, heap_tids, tid_records, dead FROM hnsw_stats('copies_v');
SELECT * FROM hnsw_check('copies_v');

-- Temporary and unlogged tables
CREATE TEMPORARY TABLE temporary_points (v vector(2));
CREATE INDEX temporary_points_v ON temporary_points USING hnsw (v vector_l2_ops);
INSERT INTO temporary_points SELECT v FROM points;
DELETE FROM temporary_points WHERE v <-> '[0,0]' < 100;
VACUUM temporary_points;
SELECT elements, dead FROM hnsw_stats('temporary_points_v');
SELECT * FROM hnsw_check('temporary_points_v');
CREATE UNLOGGED TABLE unlogged_points AS SELECT v FROM points;
CREATE INDEX unlogged_points_v ON unlogged_points USING hnsw (v vector_ip_ops);
DELETE FROM unlogged_points WHERE v <-> '[0,0]' < 100;
VACUUM unlogged_points;
SELECT elements, dead FROM hnsw_stats('unlogged_points_v');
SELECT * FROM hnsw_check('unlogged_points_v');

-- Wrong arguments, and indexes of others
\set VERBOSITY terse
SELECT * FROM hnsw_check('points');
CREATE INDEX points_id ON points (id);
SELECT * FROM hnsw_check('points_id');
SELECT * FROM hnsw_stats(0);
SELECT hnsw_meta(NULL) IS NULL AS is_null;
CREATE ROLE regress_vann_stranger;
SET ROLE regress_vann_stranger;
SELECT * FROM hnsw_check('points_v');
SELECT * FROM hnsw_stats('points_v');
SELECT * FROM hnsw_meta('points_v');
RESET ROLE;
DROP ROLE regress_vann_stranger;
DROP TABLE points, copies, temporary_points, unlogged_points;

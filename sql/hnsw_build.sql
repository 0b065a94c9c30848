-- Builds beyond maintenance_work_mem, and hnsw_build_estimate(), which tells of them beforehand.
-- The sizes that DETAIL and HINT give are hnsw_build_estimate()'s; they change with the code.
\set VERBOSITY terse
SET enable_seqscan = off;
CREATE TABLE many (id int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO many SELECT i, ARRAY[i % 200, i / 200, i % 7]::vector FROM generate_series(1, 40000) AS i;
-- Vectors of two to five rows, whose TIDs stand in the record or just do not, and of thousands
INSERT INTO many SELECT 100000 + i * 10 + copy, ARRAY[-i, -i, -i]::vector
    FROM generate_series(1, 5) AS i, generate_series(1, i) AS copy;
INSERT INTO many SELECT 200000 + i, '[-100,-100,-100]' FROM generate_series(1, 3000) AS i;
INSERT INTO many SELECT 300000 + i, '[-200,-200,-200]' FROM generate_series(1, 1500) AS i;
-- Rows found for the vector of some rows, each once; of these, of that vector
CREATE VIEW found AS SELECT w.n, w.expected, found.* FROM
    (VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (100, 3000), (200, 1500)) AS w (n, expected),
    LATERAL (SELECT count(DISTINCT id), count(DISTINCT id) FILTER (WHERE v = ARRAY[-n, -n, -n]::vector) AS own
        FROM (SELECT * FROM many ORDER BY many.v <-> ARRAY[-n, -n, -n]::vector LIMIT expected) AS nearest) AS found;

-- In one pass, and in several
CREATE TABLE built (way text, elements bigint, heap_tids bigint, tid_records bigint, base bigint, degree float8);
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops);
CREATE FUNCTION note(way text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO built SELECT way, elements, heap_tids, tid_records, levels[1], avg_degree FROM hnsw_stats('many_v') $$;
SELECT note('one');
SELECT * FROM found ORDER BY n;
SELECT * FROM hnsw_check('many_v');
DROP INDEX many_v;
SET maintenance_work_mem = '1MB';
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops);
SELECT note('several');
SELECT * FROM found ORDER BY n;
SELECT * FROM hnsw_check('many_v');
SELECT DISTINCT elements, heap_tids, tid_records, base, degree FROM built;

-- Temporary files are counted, and limited; a failed build leaves the session as it was
SET temp_file_limit = '1MB';
\set VERBOSITY sqlstate
REINDEX INDEX many_v;
\set VERBOSITY terse
DO $$
BEGIN
    CREATE INDEX other ON many USING hnsw (v vector_cosine_ops);
EXCEPTION WHEN configuration_limit_exceeded THEN
    RAISE NOTICE 'caught: %', SQLSTATE;
END $$;
RESET temp_file_limit;
SELECT count(*) FROM pg_ls_tmpdir();
SELECT to_regclass('other');
SELECT * FROM hnsw_check('many_v');
BEGIN;
REINDEX INDEX many_v;
ROLLBACK;
SELECT * FROM found WHERE n = 100;
SELECT * FROM hnsw_check('many_v');
DROP VIEW found;
DROP INDEX many_v;

-- What it would take
CREATE VIEW estimate AS SELECT rows, dimensions, one_pass_memory > 16 * 1024 * 1024 AS much, spills,
    temp_bytes > 0 AS temp, threads, seconds > 0 AS time FROM hnsw_build_estimate('many', 'v');
ANALYZE many;
SELECT * FROM estimate;
RESET maintenance_work_mem;
SELECT * FROM estimate;
SET max_parallel_maintenance_workers = 0;
SELECT * FROM estimate;
RESET max_parallel_maintenance_workers;
-- Larger options take more; the index has the size that was said
SELECT wide.index_bytes > narrow.index_bytes AS index_bytes, wide.one_pass_memory > narrow.one_pass_memory AS memory
    FROM hnsw_build_estimate('many', 'v') AS narrow, hnsw_build_estimate('many', 'v', m => 32, ef_construction => 100) AS wide;
CREATE TABLE plain (id int, v halfvec(100)) WITH (autovacuum_enabled = off);
INSERT INTO plain SELECT i, array_agg(sin(i * d * 0.618)) FROM generate_series(1, 3000) AS i,
    generate_series(1, 100) AS d GROUP BY i;
INSERT INTO plain SELECT i, NULL FROM generate_series(1, 1000) AS i;
CREATE INDEX plain_v ON plain USING hnsw (v halfvec_cosine_ops);
SELECT rows BETWEEN 2700 AND 3300 AS rows, dimensions, abs(index_bytes / pg_relation_size('plain_v')::float8 - 1) < 0.1 AS size
    FROM hnsw_build_estimate('plain', 'v');
ANALYZE plain;
-- Levels are drawn: some records more or less
SELECT rows, index_bytes - pg_relation_size('plain_v') BETWEEN -10 * 8192 AND 10 * 8192 AS size, spills, temp_bytes
    FROM hnsw_build_estimate('plain', 'v');

-- Nothing, and little
CREATE TABLE nothing (v vector(3), w vector, n int);
SELECT rows, dimensions, index_bytes, spills, temp_bytes, seconds FROM hnsw_build_estimate('nothing', 'v');
CREATE INDEX nothing_v ON nothing USING hnsw (v vector_l2_ops);
SELECT pg_relation_size('nothing_v');
SELECT hnsw_build_estimate('nothing', 'w');
INSERT INTO nothing VALUES (NULL, NULL), ('[1,2,3]', '[1,2]'), (NULL, '[1,2,3]'), ('[1,2,3]', '[3,4]');
SELECT rows, dimensions, seconds > 0 AS time FROM hnsw_build_estimate('nothing', 'v');
SELECT rows, dimensions FROM hnsw_build_estimate('nothing', 'w');
CREATE MATERIALIZED VIEW seen AS SELECT v FROM nothing;
SELECT rows FROM hnsw_build_estimate('seen', 'v');

-- Refusals
SELECT hnsw_build_estimate('nothing', 'n');
SELECT hnsw_build_estimate('nothing', 'x');
SELECT hnsw_build_estimate('nothing', 'ctid');
SELECT hnsw_build_estimate('nothing_v', 'v');
SELECT hnsw_build_estimate('estimate', 'rows');
SELECT hnsw_build_estimate('nothing', 'v', 101);
SELECT hnsw_build_estimate('nothing', 'v', 16, 3);
SELECT hnsw_build_estimate('nothing', 'v', 64);
CREATE TABLE parted (v vector(3)) PARTITION BY RANGE (v);
SELECT hnsw_build_estimate('parted', 'v');
CREATE ROLE reader;
SET ROLE reader;
SELECT hnsw_build_estimate('nothing', 'v');
RESET ROLE;
GRANT SELECT (v) ON nothing TO reader;
SET ROLE reader;
SELECT rows FROM hnsw_build_estimate('nothing', 'v');
SELECT hnsw_build_estimate('nothing', 'w');
RESET ROLE;

DROP VIEW estimate;
DROP MATERIALIZED VIEW seen;
DROP TABLE many, built, plain, nothing, parted;
DROP FUNCTION note;
DROP ROLE reader;

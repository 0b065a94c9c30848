-- Builds of ivfpq: what they divide, code and write, for every metric, type, codec and rotation, and for
-- tables that are empty, tiny, or all alike. Recalls are compared with limits well below what is found.
\set VERBOSITY terse
SET jit = off;
CREATE TABLE many (id int PRIMARY KEY, v vector(24), h halfvec(24)) WITH (autovacuum_enabled = off);
INSERT INTO many SELECT i, w, w::halfvec FROM
    (SELECT i, array_agg(sin(i * d * 0.618) + 3 * cos(i % 40 * d) ORDER BY d)::vector(24) AS w
        FROM generate_series(1, 6000) AS i, generate_series(1, 24) AS d GROUP BY i) AS made;
INSERT INTO many VALUES (10001, NULL, NULL),
    (10002, array_fill(0, ARRAY[24])::vector, array_fill(0, ARRAY[24])::halfvec);

-- What an index finds of the ten nearest of 20 rows, and whether in order
CREATE FUNCTION found(col text, op text, OUT recall float8, OUT ordered bool) LANGUAGE plpgsql AS $$
DECLARE
    id int;
    exact int[];
    near int[];
    distances float8[];
    hits int := 0;
BEGIN
    ordered := true;
    FOR id IN SELECT i * 299 FROM generate_series(1, 20) AS i LOOP
        SET LOCAL enable_indexscan = off;
        SET LOCAL enable_seqscan = on;
        EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM many WHERE %1$I IS NOT NULL
            ORDER BY %1$I %2$s (SELECT %1$I FROM many WHERE id = $1), id LIMIT 10) AS s', col, op) INTO exact USING id;
        SET LOCAL enable_indexscan = on;
        SET LOCAL enable_seqscan = off;
        EXECUTE format('SELECT array_agg(id), array_agg(d) FROM (SELECT id, %1$I %2$s (SELECT %1$I FROM many WHERE id = $1) AS d
            FROM many ORDER BY %1$I %2$s (SELECT %1$I FROM many WHERE id = $1) LIMIT 10) AS s', col, op) INTO near, distances USING id;
        hits := hits + (SELECT count(*) FROM unnest(exact) AS e JOIN unnest(near) AS n ON e = n);
        ordered := ordered AND distances = (SELECT array_agg(d ORDER BY d) FROM unnest(distances) AS d);
    END LOOP;
    recall := hits / 200.0;
END $$;
-- How many rows an index returns in all, each once
CREATE FUNCTION returned(col text, op text, OUT rows bigint, OUT ids bigint) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT count(*), count(DISTINCT id) FROM
        (SELECT id FROM many ORDER BY %1$I %2$s (SELECT %1$I FROM many WHERE id = 7)) AS s', col, op) INTO rows, ids;
END $$;
CREATE FUNCTION try(col text, opclass text, op text, options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    seen record;
    all_rows record;
BEGIN
    EXECUTE format('CREATE INDEX tried ON many USING ivfpq (%I %I) %s', col, opclass, options);
    SELECT * INTO seen FROM found(col, op);
    SELECT * INTO all_rows FROM returned(col, op);
    DROP INDEX tried;
    RETURN format('recall %s, %s, %s rows, %s of them different',
        CASE WHEN seen.recall >= 0.9 THEN 'as it should be' ELSE seen.recall::text END,
        CASE WHEN seen.ordered THEN 'in order' ELSE 'NOT IN ORDER' END, all_rows.rows, all_rows.ids);
END $$;
SELECT opclass, options, try(col, opclass, op, options) FROM
    (VALUES ('v', 'vector_l2_ops', '<->'), ('v', 'vector_ip_ops', '<#>'), ('v', 'vector_cosine_ops', '<=>'),
            ('h', 'halfvec_l2_ops', '<->'), ('h', 'halfvec_ip_ops', '<#>'), ('h', 'halfvec_cosine_ops', '<=>'))
        AS classes (col, opclass, op),
    (VALUES (1, ''), (2, 'WITH (rotation = none, refine_bits = 8)'), (3, 'WITH (codec = pq)'),
            (4, 'WITH (codec = pq, code_bits = 8, rotation = opq, lists = 20)'))
        AS variants (number, options)
    ORDER BY col DESC, opclass, number;

-- More lists than there is memory or rows for, and one
SELECT try('v', 'vector_l2_ops', '<->', 'WITH (lists = 1)');
SELECT try('v', 'vector_l2_ops', '<->', 'WITH (lists = 1000)');
SELECT try('v', 'vector_l2_ops', '<->', 'WITH (lists = 300)');

-- Any number of workers divides the table alike: the nearest list of some rows
CREATE FUNCTION nearest_lists() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    q int;
    members text := '';
BEGIN
    SET LOCAL enable_seqscan = off;
    SET LOCAL ivfpq.probes = 1;
    SET LOCAL ivfpq.iterative_scan = off;
    FOR q IN SELECT i * 199 FROM generate_series(1, 30) AS i LOOP
        members := members || (SELECT string_agg(id::text, ',' ORDER BY id) FROM
            (SELECT id FROM many ORDER BY v <-> (SELECT v FROM many WHERE id = q)) AS list) || ';';
    END LOOP;
    RETURN md5(members);
END $$;
CREATE TABLE divided (way text, members text);
SET max_parallel_maintenance_workers = 0;
CREATE INDEX many_v ON many USING ivfpq (v vector_l2_ops);
INSERT INTO divided SELECT 'alone', nearest_lists();
SET max_parallel_maintenance_workers = 2;
ALTER TABLE many SET (parallel_workers = 2);
REINDEX INDEX many_v;
INSERT INTO divided SELECT 'together', nearest_lists();
ALTER TABLE many RESET (parallel_workers);
RESET max_parallel_maintenance_workers;
SELECT count(DISTINCT members) FROM divided;
REINDEX INDEX CONCURRENTLY many_v;
INSERT INTO divided SELECT 'concurrently', nearest_lists();
SELECT count(DISTINCT members) FROM divided;

-- Rows that come later
INSERT INTO many SELECT id + 20000, v, h FROM many WHERE id <= 500;
SELECT * FROM returned('v', '<->');
SELECT recall >= 0.9 AS recall, ordered FROM found('v', '<->');
DELETE FROM many WHERE id > 20000;
DROP INDEX many_v;

-- Beyond maintenance_work_mem: temporary files, a list that is longer than memory, a limit on files
CREATE TABLE large (id int, v vector(8)) WITH (autovacuum_enabled = off);
INSERT INTO large SELECT i, ARRAY[i % 7, i % 11, i % 13, i % 17, i / 100, sin(i), cos(i), 1]::vector
    FROM generate_series(1, 20000) AS i;
INSERT INTO large SELECT 100000 + i, '[-9,-9,-9,-9,-9,-9,-9,-9]' FROM generate_series(1, 20000) AS i;
SET maintenance_work_mem = '1MB';
CREATE INDEX large_v ON large USING ivfpq (v vector_l2_ops);
SELECT count(*) FROM pg_ls_tmpdir();
SET enable_seqscan = off;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM large ORDER BY v <-> '[1,2,3,4,5,0,0,1]') AS s;
SELECT count(*), min(id) FROM (SELECT id FROM large ORDER BY v <-> '[-9,-9,-9,-9,-9,-9,-9,-9]' LIMIT 20000) AS s WHERE id > 100000;
SELECT id, v <-> '[1,2,3,4,5,0,0,1]' AS d FROM large ORDER BY v <-> '[1,2,3,4,5,0,0,1]' LIMIT 3;
SET enable_indexscan = off;
SELECT id, v <-> '[1,2,3,4,5,0,0,1]' AS d FROM large ORDER BY v <-> '[1,2,3,4,5,0,0,1]' LIMIT 3;
RESET enable_indexscan;
SET temp_file_limit = '100kB';
\set VERBOSITY sqlstate
REINDEX INDEX large_v;
\set VERBOSITY terse
RESET temp_file_limit;
SELECT count(*) FROM pg_ls_tmpdir();
RESET maintenance_work_mem;
SELECT count(*) FROM (SELECT id FROM large ORDER BY v <-> '[1,2,3,4,5,0,0,1]') AS s;
DROP TABLE large;

-- Nothing, little, and the same again and again
CREATE TABLE small (id int, v vector(3));
CREATE INDEX small_l2 ON small USING ivfpq (v vector_l2_ops) WITH (codec = pq, rotation = opq);
CREATE INDEX small_ip ON small USING ivfpq (v vector_ip_ops) WITH (codec = pq);
CREATE INDEX small_cosine ON small USING ivfpq (v vector_cosine_ops);
SELECT pg_relation_size('small_l2') / 8192 AS pages;
CREATE VIEW small_counts AS SELECT
    (SELECT count(*) FROM (SELECT id FROM small ORDER BY v <-> '[1,2,3]') AS s) AS l2,
    (SELECT count(*) FROM (SELECT id FROM small ORDER BY v <#> '[1,2,3]') AS s) AS ip,
    (SELECT count(*) FROM (SELECT id FROM small ORDER BY v <=> '[1,2,3]') AS s) AS cosine;
TABLE small_counts;
INSERT INTO small VALUES (1, '[1,2,3]'), (2, NULL), (3, '[0,0,0]'), (4, '[3,2,1]');
TABLE small_counts;
REINDEX TABLE small;
TABLE small_counts;
SELECT id FROM small ORDER BY v <-> '[3,2,1.5]';
SELECT id FROM small ORDER BY v <#> '[3,2,1.5]';
DELETE FROM small WHERE v IS NOT NULL;
REINDEX TABLE small;
TABLE small_counts;
INSERT INTO small SELECT i, '[1,2,3]' FROM generate_series(1, 3000) AS i;
REINDEX TABLE small;
TABLE small_counts;
UPDATE small SET v = '[0,0,0]';
REINDEX TABLE small;
TABLE small_counts;
DROP VIEW small_counts;
DROP TABLE small;

-- A learned rotation needs memory of its own
CREATE TABLE wide AS SELECT i AS id, (SELECT array_agg(sin(i * d)) FROM generate_series(1, 200) AS d)::vector(200) AS v
    FROM generate_series(1, 1500) AS i;
SET maintenance_work_mem = '1MB';
CREATE INDEX wide_v ON wide USING ivfpq (v vector_l2_ops) WITH (codec = pq, rotation = opq);
SELECT rotation, codebook_version FROM ivfpq_meta('wide_v');
RESET maintenance_work_mem;
REINDEX INDEX wide_v;
SELECT rotation, codebook_version FROM ivfpq_meta('wide_v');
SELECT * FROM ivfpq_check('wide_v');
DROP TABLE wide;

-- Expressions, predicates, other tables
CREATE INDEX many_part ON many USING ivfpq ((v::halfvec(24)) halfvec_l2_ops) WHERE id % 100 = 0;
EXPLAIN (COSTS OFF) SELECT id FROM many WHERE id % 100 = 0 ORDER BY v::halfvec(24) <-> array_fill(1, ARRAY[24])::halfvec(24) LIMIT 5;
SELECT count(*) FROM (SELECT id FROM many WHERE id % 100 = 0 ORDER BY v::halfvec(24) <-> array_fill(1, ARRAY[24])::halfvec(24)) AS s;
DROP INDEX many_part;
CREATE INDEX CONCURRENTLY many_v ON many USING ivfpq (v vector_cosine_ops);
SELECT * FROM returned('v', '<=>');
CREATE UNLOGGED TABLE fast AS TABLE many;
CREATE INDEX fast_v ON fast USING ivfpq (v vector_l2_ops);
SELECT count(*) FROM (SELECT id FROM fast ORDER BY v <-> array_fill(1, ARRAY[24])::vector) AS s;
CREATE TEMP TABLE mine AS TABLE many;
CREATE INDEX mine_v ON mine USING ivfpq (v vector_l2_ops);
SELECT count(*) FROM (SELECT id FROM mine ORDER BY v <-> array_fill(1, ARRAY[24])::vector) AS s;

DROP TABLE many, divided, fast, mine;
DROP FUNCTION found, returned, try, nearest_lists;

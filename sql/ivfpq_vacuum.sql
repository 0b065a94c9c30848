-- VACUUM and ivfpq_maintain(): dead rows go, lists are split, merged and refreshed, and every row stays in
-- the index once.
SET enable_seqscan = off;
SET enable_sort = off;
CREATE TABLE points (id int, v vector(3)) WITH (autovacuum_enabled = off);
CREATE INDEX points_v ON points USING ivfpq (v vector_l2_ops) WITH (lists = 10);
-- The distances of the nearest rows, which ties cannot change
CREATE FUNCTION nearest(query vector) RETURNS numeric[] LANGUAGE sql AS
    $$SELECT array_agg(round(d::numeric, 3)) FROM (SELECT v <-> query AS d FROM points ORDER BY v <-> query LIMIT 4) AS near$$;
CREATE FUNCTION found(OUT rows bigint, OUT ids bigint) LANGUAGE sql AS
    $$SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM points ORDER BY v <-> '[1,2,3]') AS found$$;
SELECT * FROM ivfpq_maintain('points_v');
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <-> '[1,2,3]';

-- The list that every index begins with is divided
INSERT INTO points SELECT i, ARRAY[i % 40, i / 40, i * 7 % 11]::vector FROM generate_series(1, 2000) AS i;
SELECT splits >= 1 AS splits, merges FROM ivfpq_maintain('points_v');
SELECT * FROM found();
SELECT splits, merges, refreshed FROM ivfpq_maintain('points_v');
SELECT nearest('[20,30,5]');

-- Before VACUUM, deleted rows are passed over; after it, they are gone
DELETE FROM points WHERE id % 3 <> 0;
SELECT * FROM found();
VACUUM points;
SELECT * FROM found();
SELECT reltuples FROM pg_class WHERE relname = 'points_v';

-- Slots are taken again
INSERT INTO points SELECT i, ARRAY[i % 40, i / 40, i * 7 % 11]::vector
    FROM generate_series(1, 2000) AS i WHERE i % 3 <> 0;
VACUUM points;
SELECT * FROM found();
SELECT nearest('[20,30,5]');

-- Rows somewhere else get lists there, and lists without rows go
DELETE FROM points WHERE id > 200;
INSERT INTO points SELECT i, ARRAY[i % 40 + 500, i / 40, i * 7 % 11]::vector FROM generate_series(201, 2000) AS i;
VACUUM points;
SELECT splits, merges FROM ivfpq_maintain('points_v');
SELECT * FROM found();
SELECT nearest('[520,30,5]');
BEGIN;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_sort = on;
SELECT nearest('[520,30,5]');
COMMIT;

-- Everything goes, and the index begins anew
DELETE FROM points;
VACUUM points;
SELECT * FROM found();
INSERT INTO points SELECT i, ARRAY[i % 40, i / 40, i * 7 % 11]::vector FROM generate_series(1, 500) AS i;
VACUUM points;
SELECT * FROM found();

-- Rows that are all alike cannot be divided
TRUNCATE points;
INSERT INTO points SELECT i, '[1,1,1]' FROM generate_series(1, 1000) AS i;
SELECT splits, merges FROM ivfpq_maintain('points_v');
SELECT * FROM found();

-- Every metric and code
CREATE TABLE codes (id int, v vector(64)) WITH (autovacuum_enabled = off);
CREATE INDEX codes_4 ON codes USING ivfpq (v vector_ip_ops) WITH (lists = 20, codec = pq);
CREATE INDEX codes_8 ON codes USING ivfpq (v vector_cosine_ops) WITH (lists = 20, codec = pq, code_bits = 8, rotation = opq);
SELECT setseed(0.5);
INSERT INTO codes SELECT i, array_agg(random() - 0.4)::vector
    FROM generate_series(1, 4500) AS i, generate_series(1, 64) GROUP BY i;
SELECT splits >= 1 AS splits, refreshed > 0 AS coded_anew FROM ivfpq_maintain('codes_4');
SELECT splits >= 1 AS splits, refreshed > 0 AS coded_anew FROM ivfpq_maintain('codes_8');
SELECT refreshed FROM ivfpq_maintain('codes_4');
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM codes ORDER BY v <#> (SELECT v FROM codes WHERE id = 7)) AS found;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM codes ORDER BY v <=> (SELECT v FROM codes WHERE id = 7)) AS found;

-- Codebooks are trained in the midst of a statement: its further rows share pages with those of others
CREATE TABLE beside (id int, v vector(16)) WITH (autovacuum_enabled = off);
CREATE INDEX beside_v ON beside USING ivfpq (v vector_l2_ops) WITH (lists = 2, codec = pq);
CREATE TABLE pages (number bigint);
CREATE FUNCTION wave(i int) RETURNS vector LANGUAGE sql IMMUTABLE AS
    $$SELECT array_agg(sin(i * k)::real)::vector FROM generate_series(1, 16) AS k$$;
CREATE FUNCTION insert_beside(i int) RETURNS vector LANGUAGE plpgsql AS $$
BEGIN
    IF i = 2 THEN
        PERFORM ivfpq_maintain('beside_v');
        INSERT INTO pages VALUES (pg_relation_size('beside_v') / 8192);
    END IF;
    INSERT INTO beside VALUES (-i, wave(-i));
    RETURN wave(10000 + i);
END $$;
INSERT INTO beside SELECT i, wave(i) FROM generate_series(1, 5000) AS i;
INSERT INTO beside SELECT 10000 + i, insert_beside(i) FROM generate_series(1, 200) AS i;
SELECT pg_relation_size('beside_v') / 8192 - number < 50 AS shared FROM pages;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM beside ORDER BY v <-> wave(1)) AS found;

-- Temporary and unlogged tables
CREATE TEMP TABLE passing (id int, v vector(3));
CREATE INDEX passing_v ON passing USING ivfpq (v vector_l2_ops) WITH (lists = 4);
INSERT INTO passing SELECT i, ARRAY[i % 40, i / 40, 0]::vector FROM generate_series(1, 1000) AS i;
VACUUM passing;
SELECT splits FROM ivfpq_maintain('passing_v');
CREATE UNLOGGED TABLE fleeting (id int, v vector(3)) WITH (autovacuum_enabled = off);
CREATE INDEX fleeting_v ON fleeting USING ivfpq (v vector_l2_ops) WITH (lists = 4);
INSERT INTO fleeting SELECT i, ARRAY[i % 40, i / 40, 0]::vector FROM generate_series(1, 1000) AS i;
SELECT splits FROM ivfpq_maintain('fleeting_v');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM fleeting ORDER BY v <-> '[1,2,3]') AS found;

-- What it refuses
SELECT ivfpq_maintain('points');
SELECT ivfpq_maintain(0);
CREATE ROLE ivfpq_stranger;
SET ROLE ivfpq_stranger;
SELECT ivfpq_maintain('points_v');
RESET ROLE;
DROP ROLE ivfpq_stranger;
DROP TABLE points, codes, beside, pages, passing, fleeting;
DROP FUNCTION found, nearest, wave, insert_beside;

-- Rows that are alike cannot be divided: one attempt is enough
CREATE TABLE alike (id int, v vector(8));
CREATE INDEX alike_v ON alike USING ivfpq (v vector_l2_ops) WITH (lists = 10);
INSERT INTO alike SELECT i, CASE WHEN i <= 3000 THEN '[1,2,3,4,5,6,7,8]'
    ELSE (SELECT array_agg(3 * sin(i * d)) FROM generate_series(1, 8) AS d)::vector END FROM generate_series(1, 3400) AS i;
SELECT splits > 0 AS split FROM ivfpq_maintain('alike_v');
SELECT splits, merges, refreshed, moved_rows FROM ivfpq_maintain('alike_v');
SELECT splits, merges, refreshed, moved_rows FROM ivfpq_maintain('alike_v');
SELECT max(rows) >= 3000 AS together FROM ivfpq_lists('alike_v');
SELECT * FROM ivfpq_check('alike_v');
DROP TABLE alike;

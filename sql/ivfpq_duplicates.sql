-- Rows of one vector lie in one list: however many there are, each is found once, whichever way they came
-- in, and goes when it is deleted.
SET enable_seqscan = off;
CREATE TABLE copies (id serial, n int, v vector(4)) WITH (autovacuum_enabled = off);
CREATE FUNCTION add_copies(numbers int[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO copies (n, v) SELECT n, ARRAY[n, 1, -n, 0.5]::vector
    FROM unnest(numbers) AS n, generate_series(1, n)
$$;
-- What the index returns for the vector of each number: rows, different rows, rows of that vector
CREATE VIEW found AS SELECT n, found.* FROM
    unnest(ARRAY[1, 3, 4, 10, 1000]) AS n,
    LATERAL (SELECT count(*), count(DISTINCT id) AS different, count(*) FILTER (WHERE nearest.n = x.n) AS own
        FROM (VALUES (n)) AS x (n), LATERAL (SELECT * FROM copies
            ORDER BY copies.v <-> ARRAY[x.n, 1, -x.n, 0.5]::vector LIMIT x.n) AS nearest) AS found;

-- Built
SELECT add_copies('{1,3,4,10,1000}');
CREATE INDEX copies_v ON copies USING ivfpq (v vector_l2_ops);
SELECT * FROM found ORDER BY n;
SELECT rows FROM ivfpq_stats('copies_v');
SELECT * FROM ivfpq_check('copies_v');

-- Inserted into an empty index, and after it
TRUNCATE copies;
SELECT add_copies('{1000,1,3,4,10}');
SELECT * FROM found ORDER BY n;
SELECT rows FROM ivfpq_stats('copies_v');
SELECT * FROM ivfpq_check('copies_v');
SET ivfpq.probes = 1;
SELECT n, count, different FROM found ORDER BY n;
RESET ivfpq.probes;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM copies ORDER BY v <-> '[3,1,-3,0.5]' LIMIT 5000) AS nearest;

-- Half of the copies go, with and without VACUUM; then all of one vector
DELETE FROM copies WHERE id % 2 = 0;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM copies ORDER BY v <-> '[10,1,-10,0.5]' LIMIT 5000) AS nearest;
SELECT * FROM ivfpq_check('copies_v');
VACUUM copies;
SELECT rows FROM ivfpq_stats('copies_v');
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM copies ORDER BY v <-> '[10,1,-10,0.5]' LIMIT 5000) AS nearest;
SELECT * FROM ivfpq_check('copies_v');
DELETE FROM copies WHERE n = 1000;
VACUUM copies;
SELECT n, count(*) FROM (SELECT * FROM copies ORDER BY v <-> '[1000,1,-1000,0.5]' LIMIT 5000) AS nearest
GROUP BY n ORDER BY n;
SELECT * FROM ivfpq_check('copies_v');
SELECT add_copies('{1000}');
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id, n FROM copies ORDER BY v <-> '[1000,1,-1000,0.5]' LIMIT 1000) AS nearest WHERE n = 1000;
SELECT * FROM ivfpq_check('copies_v');

-- The rows of an aborted transaction are never seen, and copies of them come in beside
BEGIN;
SELECT add_copies('{10,10,10}');
ROLLBACK;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM copies ORDER BY v <-> '[10,1,-10,0.5]' LIMIT 5000) AS nearest;
SELECT count(*) FROM copies;
SELECT * FROM ivfpq_check('copies_v');

-- Nothing but copies
CREATE TABLE same (id int, v vector(3));
CREATE INDEX same_cosine ON same USING ivfpq (v vector_cosine_ops);
INSERT INTO same SELECT i, '[1,2,3]' FROM generate_series(1, 100) AS i;
SELECT count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <=> '[1,2,3]' LIMIT 100) AS nearest;
REINDEX INDEX same_cosine;
SELECT count(DISTINCT id) FROM (SELECT id FROM same ORDER BY v <=> '[1,2,3]' LIMIT 100) AS nearest;
SELECT * FROM ivfpq_check('same_cosine');

DROP VIEW found;
DROP TABLE copies, same;
DROP FUNCTION add_copies;

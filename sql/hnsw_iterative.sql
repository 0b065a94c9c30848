-- How far a scan goes: hnsw.iterative_scan, hnsw.max_scan_tuples, and the memory beyond which it reads
-- the rest of the index page by page.
SET enable_seqscan = off;
CREATE TABLE items (id int, v vector(8)) WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, array_agg(sin(i * d * 0.618))::vector FROM generate_series(1, 3000) AS i,
    generate_series(1, 8) AS d GROUP BY i ORDER BY i;
CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops);
-- Rows that the index returns, how many different ones, and how many come after a farther one
CREATE FUNCTION walk(condition text, wanted int) RETURNS TABLE (rows bigint, different bigint, late bigint)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE distance < nearer) FROM
        (SELECT id, distance, lag(distance) OVER (ORDER BY place) AS nearer FROM
            (SELECT id, distance, row_number() OVER () AS place FROM
                (SELECT id, v <-> ''[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]'' AS distance FROM items WHERE %s
                ORDER BY v <-> ''[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]'' LIMIT %s) AS found) AS numbered) AS ordered',
        condition, wanted);
END
$$;

-- off: what one search of the beam's width found
SET hnsw.iterative_scan = off;
SET hnsw.ef_search = 50;
SELECT rows >= 10 AS enough, late FROM walk('true', 10);
SELECT rows BETWEEN 50 AND 1000 AS beam, late FROM walk('true', 3000);
SELECT rows < 30 AS few, late FROM walk('id % 100 = 1', 30);
-- strict_order, relaxed_order: all there is. A row found after farther ones comes last under strict_order,
-- at once under relaxed_order.
SET hnsw.iterative_scan = strict_order;
SELECT rows, different, late <= 1 AS strict FROM walk('id % 100 = 1', 30);
SELECT rows, different FROM walk('true', 5000);
SET hnsw.iterative_scan = relaxed_order;
SELECT rows, different FROM walk('id % 100 = 1', 30);
SELECT rows, different FROM walk('true', 5000);
SET hnsw.ef_search = 1;
SELECT rows, different FROM walk('true', 5000);
RESET hnsw.ef_search;

-- max_scan_tuples: a bound on the rows read, not on those that a plain search finds
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 500;
SELECT rows BETWEEN 100 AND 1500 AS bounded, rows = different AS once FROM walk('true', 5000);
SET hnsw.max_scan_tuples = 1;
SELECT rows BETWEEN 10 AND 1500 AS bounded, rows = different AS once FROM walk('true', 5000);
SELECT rows, late FROM walk('true', 10);
RESET hnsw.max_scan_tuples;
SELECT rows, different FROM walk('id % 1000 = 1', 10);

-- Little memory: every row still comes, once
SET work_mem = '64kB';
SELECT rows, different FROM walk('true', 5000);
SELECT rows, different FROM walk('id % 1000 = 1', 10);
SET hnsw.iterative_scan = relaxed_order;
SELECT rows, different FROM walk('true', 5000);
SET hnsw.scan_mem_multiplier = 4;
SELECT rows, different FROM walk('true', 5000);
RESET hnsw.scan_mem_multiplier;
RESET hnsw.iterative_scan;
RESET work_mem;

-- Copies do not count as progress that is none: far more of them than the beam is wide
INSERT INTO items SELECT 10000 + i, '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]' FROM generate_series(1, 2000) AS i;
SELECT rows, different FROM walk('id <= 3000', 10);
SELECT rows, different, late FROM walk('id > 3000', 2000);
SELECT rows, different FROM walk('true', 10000);
-- and dead rows in the way
DELETE FROM items WHERE id > 10000;
SELECT rows, different, late FROM walk('true', 10);
DELETE FROM items WHERE v <-> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]' < 2;
SELECT rows > 0 AS some, late FROM walk('true', 10);
SELECT rows = (SELECT count(*) FROM items) AS every, rows = different AS once FROM walk('true', 10000);
SELECT * FROM hnsw_check('items_v');
VACUUM items;
SELECT rows = (SELECT count(*) FROM items) AS every, rows = different AS once FROM walk('true', 10000);
SELECT * FROM hnsw_check('items_v');
DROP TABLE items;
DROP FUNCTION walk;

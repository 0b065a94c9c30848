-- How far a scan goes: ivfpq.probes, ivfpq.max_probes, ivfpq.iterative_scan, and their ivfflat synonyms.
SET enable_seqscan = off;
CREATE TABLE items (id int, v vector(8)) WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, array_agg(sin(i * d * 0.618))::vector FROM generate_series(1, 3000) AS i,
    generate_series(1, 8) AS d GROUP BY i ORDER BY i;
CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops) WITH (lists = 30);
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
-- Of the 100 nearest rows, how many are among the first 100 of the index
CREATE FUNCTION found() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    nearest int[] := ARRAY(SELECT id FROM items ORDER BY (v <-> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]') + 0 LIMIT 100);
BEGIN
    RETURN count(*) FROM (SELECT id FROM items ORDER BY v <-> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]' LIMIT 100) AS n
        WHERE id = ANY (nearest);
END
$$;

-- off: the rows of the first probes, in order; more probes find more
SET ivfpq.iterative_scan = off;
SET ivfpq.probes = 1;
SELECT rows BETWEEN 1 AND 2000 AS some, rows = different AS once, late FROM walk('true', 5000);
SELECT rows < 30 AS few FROM walk('id % 100 = 1', 30);
SELECT found() AS found_by_one \gset
SET ivfpq.probes = 30;
SELECT rows, different, late FROM walk('true', 5000);
SELECT found() >= 99 AS by_all, found() > :found_by_one AS more;
SELECT rows, late FROM walk('true', 10);
-- strict_order, relaxed_order: all there is. A row found after farther ones comes last under strict_order,
-- at once under relaxed_order.
SET ivfpq.probes = 1;
SET ivfpq.iterative_scan = strict_order;
SELECT rows, different, late <= 1 AS strict FROM walk('id % 100 = 1', 30);
SELECT rows, different FROM walk('true', 5000);
SELECT rows, different FROM walk('id = 2999', 5);
SELECT rows, late FROM walk('true', 10);
SET ivfpq.iterative_scan = relaxed_order;
SELECT rows, different FROM walk('id % 100 = 1', 30);
SELECT rows, different FROM walk('true', 5000);
RESET ivfpq.probes;
SELECT rows, different FROM walk('true', 5000);
RESET ivfpq.iterative_scan;
SELECT rows, different FROM walk('true', 5000);

-- max_probes: where a scan ends whatever the query wants
SET ivfpq.probes = 1;
SET ivfpq.max_probes = 3;
SELECT rows BETWEEN 1 AND 2500 AS bounded, rows = different AS once FROM walk('true', 5000);
SET ivfpq.probes = 100;
SELECT rows BETWEEN 1 AND 2500 AS bounded, rows = different AS once FROM walk('true', 5000);
SET ivfpq.max_probes = 30;
SELECT rows, different FROM walk('true', 5000);
RESET ivfpq.max_probes;

-- pgvector's names say the same where ours are not set
RESET ivfpq.probes;
SET ivfflat.probes = 1;
SET ivfflat.iterative_scan = off;
SELECT rows BETWEEN 1 AND 2000 AS some FROM walk('true', 5000);
SELECT found() = :found_by_one AS same;
SET ivfflat.iterative_scan = relaxed_order;
SELECT rows, different FROM walk('true', 5000);
SET ivfflat.max_probes = 2;
SELECT rows BETWEEN 1 AND 2200 AS bounded FROM walk('true', 5000);
SET ivfpq.max_probes = 100;
SELECT rows, different FROM walk('true', 5000);
RESET ALL;
SET enable_seqscan = off;

-- Many copies, more than a list holds otherwise, and few others
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
SELECT * FROM ivfpq_check('items_v');
VACUUM items;
SELECT rows = (SELECT count(*) FROM items) AS every, rows = different AS once FROM walk('true', 10000);
SELECT * FROM ivfpq_check('items_v');
DROP TABLE items;
DROP FUNCTION walk, found;

-- Ordered search over halfvec columns: what the index returns is what sorting returns.
SET enable_seqscan = off;
CREATE TABLE points (id int, v halfvec(5));
INSERT INTO points SELECT i, ARRAY[sin(i * 1.7), cos(i * 2.3) + 0.25, (i % 7) / 3.0, sin(i * 0.31), i / 100.0]::halfvec
FROM generate_series(1, 150) AS i;
CREATE INDEX points_l2 ON points USING hnsw (v halfvec_l2_ops);
CREATE INDEX points_ip ON points USING hnsw (v halfvec_ip_ops);
CREATE INDEX points_cosine ON points USING hnsw (v halfvec_cosine_ops);
INSERT INTO points SELECT i, ARRAY[sin(i * 1.7), cos(i * 2.3) + 0.25, (i % 7) / 3.0, sin(i * 0.31), i / 100.0]::halfvec
FROM generate_series(151, 200) AS i;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <-> '[1,2,3,0,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <#> '[1,2,3,0,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <=> '[1,2,3,0,0]' LIMIT 5;

-- The distances in order, by index and by sorting (equal ones among halfvec values are likely)
CREATE FUNCTION distances(way text, operator text, query text, wanted int) RETURNS float8[]
LANGUAGE plpgsql AS $$
DECLARE
    result float8[];
BEGIN
    PERFORM set_config('enable_indexscan', (way = 'index')::text, true),
            set_config('enable_sort', (way = 'sort')::text, true),
            set_config('enable_seqscan', (way = 'sort')::text, true);
    EXECUTE format('SELECT array_agg(distance) FROM (SELECT v %1$s %2$L::halfvec AS distance FROM points
        ORDER BY v %1$s %2$L LIMIT %3$s) AS nearest', operator, query, wanted) INTO result;
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_sort', 'on', true),
            set_config('enable_seqscan', 'off', true);
    RETURN result;
END
$$;
SELECT operator, wanted, count(*) AS queries,
    count(*) FILTER (WHERE cardinality(distances('index', operator, query, wanted)) = wanted) AS full,
    count(*) FILTER (WHERE distances('index', operator, query, wanted)
        = distances('sort', operator, query, wanted)) AS equal
FROM unnest(ARRAY['<->', '<#>', '<=>']) AS operator,
    unnest(ARRAY['[1,2,3,0,0]', '[-1,0.5,0,0.1,2]', '[0.1,0.2,-0.3,1,1]', '[100,-100,3,0,-50]']) AS query,
    unnest(ARRAY[1, 10, 200]) AS wanted
GROUP BY operator, wanted ORDER BY operator, wanted;

-- NULLs, zeros, copies, the largest values, updates
INSERT INTO points VALUES (201, NULL), (202, '[0,0,0,0,0]'), (203, '[65504,65504,65504,65504,-65504]');
INSERT INTO points SELECT 300 + i, '[1,1,1,1,1]' FROM generate_series(1, 10) AS i;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> '[1,1,1,1,1]' LIMIT 1000) AS nearest;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <#> '[1,1,1,1,1]' LIMIT 1000) AS nearest;
SELECT count(*), bool_and(id > 300) AS copies FROM
    (SELECT id FROM points ORDER BY v <=> '[1,1,1,1,1]' LIMIT 10) AS nearest;
SELECT array_agg(id) FILTER (WHERE place = 212) AS last, count(*) FROM (SELECT id, row_number() OVER () AS place
    FROM (SELECT id FROM points ORDER BY v <=> '[1,1,1,1,1]' LIMIT 1000) AS nearest) AS numbered;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> NULL::halfvec LIMIT 1000) AS nearest;
UPDATE points SET v = '[0,0,0,0,7]' WHERE id = 201;
SELECT id FROM points ORDER BY v <-> '[0,0,0,0,7]' LIMIT 1;
DELETE FROM points WHERE id = 201;
SELECT id <> 201 AS another FROM points ORDER BY v <-> '[0,0,0,0,7]' LIMIT 1;
SELECT * FROM hnsw_check('points_l2');
SELECT * FROM hnsw_check('points_ip');
SELECT * FROM hnsw_check('points_cosine');
VACUUM points;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <=> '[1,1,1,1,1]' LIMIT 1000) AS nearest;
TRUNCATE points;
SELECT id FROM points ORDER BY v <-> '[0,0,0,0,7]' LIMIT 1;
SELECT * FROM hnsw_check('points_l2');
SELECT * FROM hnsw_check('points_ip');
SELECT * FROM hnsw_check('points_cosine');
DROP TABLE points;
DROP FUNCTION distances;

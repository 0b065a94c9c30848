-- Comparison operators and the btree operator classes of vector and halfvec.
-- Elements first, then dimensions; -0 equals 0
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
    vector_cmp(a, b) AS cmp
FROM (VALUES ('[1,2]'::vector, '[1,2]'::vector), ('[1,2]', '[1,3]'), ('[1,2]', '[1,2,3]'), ('[2]',
    '[1,2,3]'),
             ('[-1e38]', '[1e38]'), ('[0,1]', '[-0,1]'), ('[1e-45]', '[0]'), ('[1]',
             '[16777216]')) AS pairs (a, b);
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt,
    halfvec_cmp(a, b) AS cmp
FROM (VALUES ('[1,2]'::halfvec, '[1,2]'::halfvec), ('[1,2]', '[1,3]'), ('[1,2]', '[1,2,3]'),
    ('[2]', '[1,2,3]'),
             ('[-65504]', '[65504]'), ('[0,1]', '[-0,1]'), ('[6e-8]', '[0]'), ('[-1]',
             '[-2]')) AS pairs (a, b);

-- The order is that of the arrays
CREATE TABLE btree_test AS
    SELECT i AS id, (SELECT array_agg((i * 7919 / (j * j)) % 5 - 2 ORDER BY j)
        FROM generate_series(1, 1 + i % 4) AS j) AS a
    FROM generate_series(1, 300) AS i;
SELECT count(*) AS pairs,
       bool_and(vector_cmp(x.a::vector, y.a::vector) = btarraycmp(x.a, y.a)) AS vector,
       bool_and(halfvec_cmp(x.a::halfvec, y.a::halfvec) = btarraycmp(x.a, y.a)) AS halfvec
FROM btree_test AS x, btree_test AS y;

-- Index, sort, merge join and grouping agree with each other and with the arrays
ALTER TABLE btree_test ADD v vector, ADD h halfvec;
UPDATE btree_test SET v = a::vector, h = a::halfvec;
INSERT INTO btree_test VALUES (0, NULL, NULL, NULL);
CREATE INDEX btree_test_v ON btree_test (v);
CREATE INDEX btree_test_h ON btree_test (h DESC NULLS LAST);
ANALYZE btree_test;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM btree_test WHERE v = '[1,-2]';
EXPLAIN (COSTS OFF) SELECT v FROM btree_test ORDER BY v;
SELECT bool_and(v = a::vector) AS ascending
FROM (SELECT v, row_number() OVER (ORDER BY v) AS n FROM btree_test) AS ordered
JOIN (SELECT a, row_number() OVER (ORDER BY a) AS n FROM btree_test) AS expected USING (n);
SELECT bool_and(h = a::halfvec) AS descending
FROM (SELECT h, row_number() OVER (ORDER BY h DESC NULLS LAST) AS n FROM btree_test) AS ordered
JOIN (SELECT a, row_number() OVER (ORDER BY a DESC NULLS LAST) AS n FROM btree_test) AS expected
    USING (n);
SELECT count(*) FILTER (WHERE v = '[1,-2]') = count(*) FILTER (WHERE a = '{1,-2}') AS equal,
       count(*) FILTER (WHERE v > '[0]' AND v <= '[1,1]')
           = count(*) FILTER (WHERE a > '{0}' AND a <= '{1,1}') AS range,
       count(*) FILTER (WHERE h < '[0,0]') = count(*) FILTER (WHERE a < '{0,0}') AS half
FROM btree_test;
SELECT (SELECT count(*) FROM btree_test WHERE v > '[0]' AND v <= '[1,1]')
           = (SELECT count(*) FROM btree_test WHERE a > '{0}' AND a <= '{1,1}') AS range_by_index,
       (SELECT count(*) FROM btree_test WHERE h < '[0,0]')
           = (SELECT count(*) FROM btree_test WHERE a < '{0,0}') AS half_by_index;
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT count(DISTINCT v) = count(DISTINCT a) AS distinct FROM btree_test;
SELECT (SELECT count(*) FROM (SELECT FROM btree_test GROUP BY h) AS g)
           = (SELECT count(*) FROM (SELECT FROM btree_test GROUP BY a) AS g) AS grouped,
       (SELECT count(*) FROM btree_test AS x JOIN btree_test AS y ON x.v = y.v)
           = (SELECT count(*) FROM btree_test AS x JOIN btree_test AS y ON x.a = y.a) AS joined;
DROP TABLE btree_test;

-- Unique keys; 0 and -0 are one key
CREATE TABLE btree_unique (v vector(2) PRIMARY KEY, h halfvec UNIQUE);
INSERT INTO btree_unique VALUES ('[0,1]', '[1]'), ('[1,0]', '[2]');
INSERT INTO btree_unique VALUES ('[-0,1]', '[3]');
INSERT INTO btree_unique VALUES ('[2,2]', '[1]');
INSERT INTO btree_unique VALUES ('[0,1]', '[5]') ON CONFLICT (v) DO UPDATE SET h = EXCLUDED.h;
SELECT * FROM btree_unique ORDER BY v;
DROP TABLE btree_unique;

-- Statistics of a column without a fixed number of dimensions, with values in and out of line
CREATE TABLE btree_mixed AS
    SELECT array_agg(j % 3 + 1)::vector AS v
    FROM unnest(ARRAY[1, 2, 3, 200, 1000, 5000]) AS dims, generate_series(1, 10) AS copy,
        generate_series(1, dims) AS j
    GROUP BY dims, copy;
ANALYZE btree_mixed;
SELECT null_frac, n_distinct, most_common_vals IS NOT NULL AS common FROM pg_stats
    WHERE tablename = 'btree_mixed';
SELECT vector_dims(v) AS dims, count(*) FROM btree_mixed GROUP BY v ORDER BY v DESC;
DROP TABLE btree_mixed;

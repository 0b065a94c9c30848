-- Zero vectors: ordinary under L2 and inner product; under cosine their distance is NaN, which sorts
-- last, so they are found last and never lost. A zero query is at NaN from everything.
SET enable_seqscan = off;
CREATE TABLE items (id int, v vector(3));
INSERT INTO items VALUES (1, '[0,0,0]'), (2, '[1,0,0]'), (3, '[1,1,0]'), (4, '[0,0,0]'), (5, '[-1,0,0]');
CREATE INDEX items_l2 ON items USING ivfpq (v vector_l2_ops);
CREATE INDEX items_ip ON items USING ivfpq (v vector_ip_ops);
CREATE INDEX items_cosine ON items USING ivfpq (v vector_cosine_ops);

SELECT v <-> '[1,0.1,0]' < 0.2 AS near, array_agg(id ORDER BY id) FROM
    (SELECT * FROM items ORDER BY v <-> '[1,0.1,0]' LIMIT 10) AS nearest GROUP BY 1 ORDER BY 1;
SELECT v, count(*) FROM (SELECT * FROM items ORDER BY v <-> '[0,0,0]' LIMIT 2) AS nearest GROUP BY v;
SELECT id FROM (SELECT * FROM items ORDER BY v <#> '[1,0.1,0]' LIMIT 2) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM items ORDER BY v <#> '[0,0,0]' LIMIT 10) AS nearest;

SELECT id FROM (SELECT * FROM items ORDER BY v <=> '[1,0.1,0]' LIMIT 3) AS nearest;
SELECT (v <=> '[1,0.1,0]')::text = 'NaN' AS undefined, count(*) FROM
    (SELECT * FROM items ORDER BY v <=> '[1,0.1,0]' LIMIT 10) AS nearest GROUP BY 1 ORDER BY 1;
SELECT array_agg(v = '[0,0,0]' ORDER BY place) AS zero FROM (SELECT v, row_number() OVER () AS place FROM
    (SELECT * FROM items ORDER BY v <=> '[1,0.1,0]' LIMIT 10) AS nearest) AS numbered;
SELECT count(DISTINCT id) FROM (SELECT * FROM items ORDER BY v <=> '[0,0,0]' LIMIT 10) AS nearest;
SET ivfpq.iterative_scan = relaxed_order;
SELECT array_agg(v = '[0,0,0]' ORDER BY place) AS zero FROM (SELECT v, row_number() OVER () AS place FROM
    (SELECT * FROM items ORDER BY v <=> '[1,0.1,0]' LIMIT 10) AS nearest) AS numbered;
RESET ivfpq.iterative_scan;

-- Inserted zeros, and an index of nothing else
INSERT INTO items SELECT i, '[0,0,0]' FROM generate_series(6, 25) AS i;
SELECT array_agg(v = '[0,0,0]' ORDER BY place) AS zero, count(DISTINCT id) FROM
    (SELECT v, id, row_number() OVER () AS place FROM
        (SELECT * FROM items ORDER BY v <=> '[1,0.1,0]' LIMIT 100) AS nearest) AS numbered;
SELECT * FROM ivfpq_check('items_l2');
SELECT * FROM ivfpq_check('items_ip');
SELECT * FROM ivfpq_check('items_cosine');
DELETE FROM items WHERE v <> '[0,0,0]';
REINDEX TABLE items;
SELECT count(DISTINCT id) FROM (SELECT * FROM items ORDER BY v <=> '[1,0,0]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM items ORDER BY v <-> '[1,0,0]' LIMIT 100) AS nearest;
INSERT INTO items VALUES (100, '[1,0,0]');
SELECT id FROM items ORDER BY v <=> '[1,0,0]' LIMIT 1;
SELECT id FROM items ORDER BY v <-> '[1,0,0]' LIMIT 1;

-- Values at the ends of single precision: distances may overflow, rows are not lost
CREATE TABLE extremes (id int, v vector(2));
INSERT INTO extremes VALUES (1, '[3e38,0]'), (2, '[-3e38,3e38]'), (3, '[1e-45,0]'), (4, '[1e-38,-1e-38]'),
    (5, '[1,1]'), (6, '[-0.0,0]');
CREATE INDEX extremes_l2 ON extremes USING ivfpq (v vector_l2_ops);
CREATE INDEX extremes_ip ON extremes USING ivfpq (v vector_ip_ops);
CREATE INDEX extremes_cosine ON extremes USING ivfpq (v vector_cosine_ops);
INSERT INTO extremes VALUES (7, '[3e38,3e38]'), (8, '[1e-40,1e-40]');
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <-> '[1,1]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <#> '[1,1]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <=> '[1,1]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <-> '[3e38,-3e38]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <#> '[3e38,-3e38]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT * FROM extremes ORDER BY v <=> '[1e-45,0]' LIMIT 100) AS nearest;

SELECT * FROM ivfpq_check('items_l2');
SELECT * FROM ivfpq_check('items_ip');
SELECT * FROM ivfpq_check('items_cosine');
SELECT * FROM ivfpq_check('extremes_l2');
SELECT * FROM ivfpq_check('extremes_ip');
SELECT * FROM ivfpq_check('extremes_cosine');
DROP TABLE items, extremes;

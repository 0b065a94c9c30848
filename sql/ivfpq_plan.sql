-- When the planner takes the index: for the nearest few of many, and for nothing else; and that every
-- form of query returns the rows that it returns without the index.
CREATE TABLE items (id int PRIMARY KEY, category int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO items SELECT i, i % 100, ARRAY[sin(i), cos(i * 1.3), sin(i * 0.7)]::vector
FROM generate_series(1, 10000) AS i;
CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops);
CREATE INDEX items_category ON items (category);
VACUUM ANALYZE items;
SET max_parallel_workers_per_gather = 0;

-- A plan in words that are the same for all versions of PostgreSQL
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        CONTINUE WHEN line ~ '^ *Disabled: true$';
        line := replace(line, 'InitPlan 1 (returns $0)', 'InitPlan 1');
        RETURN NEXT replace(line, '$0', '(InitPlan 1).col1');
    END LOOP;
END
$$;

-- Yes
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id, v <-> '[1,2,3]' FROM items ORDER BY '[1,2,3]' <-> v LIMIT 5 OFFSET 2;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE category >= 20 ORDER BY v <-> '[1,2,3]' LIMIT 5;
SELECT plan('SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 7) LIMIT 5');
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v <-> '[1,2,3]' < 3 ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT q.id, n.id FROM (SELECT * FROM items WHERE id < 4) AS q,
    LATERAL (SELECT id FROM items ORDER BY items.v <-> q.v LIMIT 2) AS n;
-- the least distance is that of the nearest row
SELECT plan('SELECT min(v <-> ''[1,2,3]'') FROM items');
-- No: all rows, no order, another order, another metric
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]';
EXPLAIN (COSTS OFF) SELECT id FROM items;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> '[1,2,3]' DESC LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <=> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY -(v <-> '[1,2,3]') LIMIT 5;
EXPLAIN (COSTS OFF) SELECT count(*) FROM items;
EXPLAIN (COSTS OFF) SELECT count(*) FROM items WHERE v IS NOT NULL;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v IS NULL LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v = '[1,2,3]';
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE v <-> '[1,2,3]' < 3;
-- A filter that leaves few rows is answered by its own index, and by sorting them
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE id = 7 ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM items WHERE category = 7 AND id < 500 ORDER BY v <-> '[1,2,3]' LIMIT 5;
-- Nor is the index taken where every other way is switched off but ORDER BY is missing
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT plan('SELECT count(*) FROM items WHERE v IS NOT NULL');
SELECT count(*) FROM items WHERE v IS NOT NULL;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Prepared statements
PREPARE nearest (vector, int) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_custom_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest ('[1,2,3]', 3);
EXECUTE nearest ('[1,2,3]', 3);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE nearest ('[1,2,3]', 3);
EXECUTE nearest ('[1,2,3]', 3);
EXECUTE nearest (NULL, 0);
DEALLOCATE nearest;
PREPARE nearest (vector) AS SELECT id FROM items ORDER BY v <-> $1 LIMIT 3;
EXPLAIN (COSTS OFF) EXECUTE nearest ('[1,2,3]');
EXECUTE nearest ('[1,2,3]');
EXECUTE nearest ('[1,2]');
EXECUTE nearest ('[1,2,3]');
CREATE TABLE answers AS EXECUTE nearest (NULL);
SELECT count(DISTINCT id) FROM answers;
DROP TABLE answers;
RESET plan_cache_mode;
DEALLOCATE nearest;
PREPARE filtered (vector, int) AS SELECT id FROM items WHERE category = $2 ORDER BY v <-> $1 LIMIT 3;
SET plan_cache_mode = force_generic_plan;
CREATE TABLE answers AS EXECUTE filtered ('[1,2,3]', 42);
SELECT array_agg(id) = ARRAY(SELECT id FROM items WHERE category = 42 ORDER BY (v <-> '[1,2,3]') + 0 LIMIT 3)
    AS equal FROM answers;
RESET plan_cache_mode;

-- Query vectors that are computed: subselect, function, volatile
SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 77) LIMIT 1;
SELECT id FROM items ORDER BY v <-> (SELECT avg(v) FROM items WHERE id = 78) LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <-> ARRAY[random(), 0, 0]::vector LIMIT 1;
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> ARRAY[random(), 0, 0]::vector LIMIT 3) AS nearest;

-- Queries that look like nearest-neighbor ones and want every row
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[1,2,3]') AS ordered;
SELECT count(*), count(DISTINCT place) FROM
    (SELECT id, row_number() OVER (ORDER BY v <-> '[1,2,3]') AS place FROM items) AS ranked;
SELECT count(*) FROM (SELECT id, rank() OVER (ORDER BY v <-> '[1,2,3]') AS place FROM items) AS ranked
WHERE place <= 10;
SELECT count(*) FROM (SELECT DISTINCT ON (v <-> '[1,2,3]') id FROM items ORDER BY v <-> '[1,2,3]') AS d;
SELECT count(*) FROM (SELECT DISTINCT ON (v <-> '[1,2,3]') id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 9000) AS d;
SELECT count(*) FROM ((SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 10)
    UNION (SELECT id FROM items ORDER BY v <-> '[-1,-2,-3]' LIMIT 10)) AS both_ends;
SELECT count(*) FROM ((SELECT id FROM items ORDER BY v <-> '[1,2,3]')
    UNION ALL (SELECT id FROM items ORDER BY v <-> '[1,2,3]')) AS twice;
WITH nearest AS MATERIALIZED (SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 100)
SELECT count(*) FROM nearest JOIN items USING (id);
SELECT count(*) FROM items AS a JOIN items AS b ON a.id = b.id + 1 WHERE a.category = 5;
BEGIN;
DECLARE everything CURSOR FOR SELECT id FROM items ORDER BY v <-> '[1,2,3]';
MOVE 9999 FROM everything;
MOVE FORWARD ALL FROM everything;
CLOSE everything;
DECLARE back SCROLL CURSOR FOR SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
MOVE FORWARD ALL FROM back;
CREATE TABLE backward (id int);
DO $$
DECLARE
    back refcursor := 'back';
    row int;
BEGIN
    LOOP
        FETCH PRIOR FROM back INTO row;
        EXIT WHEN NOT FOUND;
        INSERT INTO backward VALUES (row);
    END LOOP;
END
$$;
SELECT count(DISTINCT id) FROM backward;
COMMIT;

-- Rows that change while they are read, and locked rows
BEGIN;
UPDATE items SET category = -1 WHERE id IN (SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 20);
SELECT count(*) FROM items WHERE category = -1;
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 20 FOR UPDATE) AS locked;
SELECT count(*) FILTER (WHERE category = -1), count(*) FROM
    (SELECT category FROM items ORDER BY v <-> '[1,2,3]' LIMIT 25) AS nearest;
ROLLBACK;

-- A small table is sorted
CREATE TABLE few (id int, v vector(3));
INSERT INTO few SELECT i, ARRAY[i, 0, 0]::vector FROM generate_series(1, 20) AS i;
CREATE INDEX few_v ON few USING ivfpq (v vector_l2_ops);
ANALYZE few;
EXPLAIN (COSTS OFF) SELECT id FROM few ORDER BY v <-> '[1,2,3]' LIMIT 5;

-- Partitions: each gives its nearest, merged
CREATE TABLE parts (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (4000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (4000) TO (8000);
CREATE INDEX parts_v ON parts USING ivfpq (v vector_l2_ops);
INSERT INTO parts SELECT id, v FROM items WHERE id < 8000;
CREATE TABLE parts_3 (id int, v vector(3));
INSERT INTO parts_3 SELECT id, v FROM items WHERE id >= 8000;
ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (8000) TO (20000);
VACUUM ANALYZE parts;
EXPLAIN (COSTS OFF) SELECT id FROM parts ORDER BY v <-> '[1,2,3]' LIMIT 5;
SELECT ARRAY(SELECT id FROM parts ORDER BY v <-> '[1,2,3]' LIMIT 30)
    = ARRAY(SELECT id FROM items ORDER BY (v <-> '[1,2,3]') + 0 LIMIT 30) AS equal;
SELECT count(*) FROM (SELECT id FROM parts ORDER BY v <-> '[1,2,3]') AS ordered;
EXPLAIN (COSTS OFF) SELECT id FROM parts WHERE id < 4000 ORDER BY v <-> '[1,2,3]' LIMIT 5;
SELECT ivfpq_check(inhrelid) FROM pg_inherits WHERE inhparent = 'parts_v'::regclass;

-- A distance that nobody sees is not computed: the index has the order. One that is shown is, and so is
-- one that WITH TIES compares.
EXPLAIN (COSTS OFF, VERBOSE) SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id, v <-> '[1,2,3]' AS distance FROM items ORDER BY distance LIMIT 5;
EXPLAIN (COSTS OFF, VERBOSE) SELECT id FROM items ORDER BY v <-> '[1,2,3]' FETCH FIRST 5 ROWS WITH TIES;
EXPLAIN (COSTS OFF, VERBOSE) SELECT count(*) FROM (SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5) AS near;
SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5;
SELECT array_agg(id) = ARRAY(SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5) AS equal FROM
    (SELECT id, v <-> '[1,2,3]' AS distance FROM items ORDER BY distance LIMIT 5) AS shown;
SELECT array_agg(id) = ARRAY(SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5) AS equal FROM
    (SELECT id FROM items ORDER BY v <-> '[1,2,3]' FETCH FIRST 5 ROWS WITH TIES) AS tied;

-- In workers: the whole query, and one scan per row of a table that they share
SELECT count(set_config(name, 'on', false)) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT array_agg(id) = ARRAY(SELECT id FROM items ORDER BY (v <-> '[1,2,3]') + 0 LIMIT 5) AS equal FROM
    (SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 5) AS nearest;
SELECT count(set_config(name, 'off', false)) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_bitmapscan = off;
SELECT count(*) FROM plan('SELECT id, (SELECT id FROM items ORDER BY items.v <-> q.v LIMIT 1) AS nearest FROM items AS q
    WHERE q.category = 3') AS line WHERE line LIKE '%Gather%';
SELECT count(*), bool_and(id = nearest) AS themselves FROM
    (SELECT id, (SELECT id FROM items ORDER BY items.v <-> q.v LIMIT 1) AS nearest FROM items AS q
    WHERE q.category = 3) AS pairs;
RESET enable_bitmapscan;
SET max_parallel_workers_per_gather = 0;

SELECT * FROM ivfpq_check('items_v');
SELECT * FROM ivfpq_check('few_v');
DROP TABLE items, answers, backward, few, parts;
DROP FUNCTION plan;

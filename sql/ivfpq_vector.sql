-- Ordered search over vector columns: what the index returns is what sorting returns.
SET enable_seqscan = off;

-- Each metric
CREATE TABLE points (id int, v vector(3));
INSERT INTO points SELECT i, ARRAY[sin(i * 1.7), cos(i * 2.3) + 0.25, (i % 7) / 3.0]::vector
FROM generate_series(1, 200) AS i;
CREATE INDEX points_l2 ON points USING ivfpq (v vector_l2_ops) WITH (lists = 10);
CREATE INDEX points_ip ON points USING ivfpq (v vector_ip_ops);
CREATE INDEX points_cosine ON points USING ivfpq (v vector_cosine_ops) WITH (codec = pq);
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <#> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM points ORDER BY v <=> '[1,2,3]' LIMIT 5;

-- The ids in order, by index and by sorting, of every row and for several queries: no difference, once all
-- lists are read before the first row is returned.
SET ivfpq.probes = 1000;
CREATE FUNCTION ordered(way text, relation text, expression text, wanted int) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE
    ids int[];
BEGIN
    PERFORM set_config('enable_indexscan', (way = 'index')::text, true),
            set_config('enable_sort', (way = 'sort')::text, true),
            set_config('enable_seqscan', (way = 'sort')::text, true);
    EXECUTE format('SELECT array_agg(id ORDER BY place) FROM (SELECT id, row_number() OVER () AS place
        FROM (SELECT id FROM %s ORDER BY %s LIMIT %s) AS nearest) AS numbered', relation, expression,
        wanted) INTO ids;
    PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_sort', 'on', true),
            set_config('enable_seqscan', 'off', true);
    RETURN ids;
END
$$;
SELECT operator, wanted, count(*) AS queries,
    count(*) FILTER (WHERE cardinality(ordered('index', 'points', distance, wanted)) = wanted) AS full,
    count(*) FILTER (WHERE ordered('index', 'points', distance, wanted)
        = ordered('sort', 'points', distance, wanted)) AS equal
FROM unnest(ARRAY['<->', '<#>', '<=>']) AS operator,
    unnest(ARRAY['[1,2,3]', '[-1,0.5,0]', '[0.1,0.2,-0.3]', '[100,-100,3]']) AS query,
    unnest(ARRAY[1, 10, 200]) AS wanted,
    format('v %s %L', operator, query) AS distance
GROUP BY operator, wanted ORDER BY operator, wanted;

-- Beyond the first probes, OFFSET, more than there is
SET ivfpq.probes = 1;
SELECT cardinality(ordered('index', 'points', 'v <-> ''[1,2,3]''', 100)) AS rows;
SELECT cardinality(ARRAY(SELECT DISTINCT unnest(ordered('index', 'points', 'v <-> ''[1,2,3]''', 1000)))) AS different;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> '[1,2,3]' LIMIT 1000) AS nearest;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> '[1,2,3]' LIMIT 20 OFFSET 190) AS nearest;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> '[1,2,3]' LIMIT 0) AS nearest;
SET ivfpq.probes = 1000;
-- Filters take away rows, not results
SELECT ordered('index', 'points', 'v <-> ''[1,2,3]''', 200) = array_agg(id ORDER BY v <-> '[1,2,3]')
    AS equal FROM points;
SELECT array_agg(id ORDER BY place) = (SELECT array_agg(id ORDER BY v <-> '[1,2,3]') FROM points
    WHERE id % 20 = 3) AS equal
FROM (SELECT id, row_number() OVER () AS place FROM
    (SELECT id FROM points WHERE id % 20 = 3 ORDER BY v <-> '[1,2,3]' LIMIT 50) AS nearest) AS numbered;

-- A query that is NULL orders nothing and loses nothing
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM points ORDER BY v <-> NULL::vector LIMIT 1000) AS nearest;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT id FROM points ORDER BY v <=> (SELECT NULL::vector) LIMIT 1000) AS nearest;

-- Cursors: many FETCHes, and one closed early
BEGIN;
DECLARE nearest CURSOR FOR SELECT id FROM points ORDER BY v <-> '[1,2,3]';
CREATE TEMPORARY TABLE fetched (place serial, id int) ON COMMIT DROP;
DO $$
DECLARE
    nearest refcursor := 'nearest';
    row int;
BEGIN
    LOOP
        FETCH nearest INTO row;
        EXIT WHEN NOT FOUND;
        INSERT INTO fetched (id) VALUES (row);
    END LOOP;
END
$$;
SELECT count(*), array_agg(id ORDER BY place) = ordered('sort', 'points', 'v <-> ''[1,2,3]''', 200) AS equal
FROM fetched;
FETCH 1 FROM nearest;
CLOSE nearest;
DECLARE early CURSOR FOR SELECT id FROM points ORDER BY v <=> '[1,2,3]';
FETCH 2 FROM early;
CLOSE early;
COMMIT;

-- A scan per outer row
SELECT q.id, ARRAY(SELECT id FROM points ORDER BY points.v <-> q.v LIMIT 4)
    = ARRAY(SELECT id FROM points ORDER BY (points.v <-> q.v) + 0 LIMIT 4) AS equal
FROM points AS q WHERE id IN (1, 50, 99, 150) ORDER BY id;
SELECT count(*), count(DISTINCT (q.id, n.id)) FROM points AS q,
    LATERAL (SELECT id FROM points ORDER BY points.v <=> q.v LIMIT 10) AS n;
SELECT * FROM ivfpq_check('points_l2');
SELECT * FROM ivfpq_check('points_ip');
SELECT * FROM ivfpq_check('points_cosine');

RESET ivfpq.probes;

-- Writes: NULLs stay out, rows come and go, TRUNCATE empties
CREATE TABLE items (id int, v vector(2)) WITH (autovacuum_enabled = off);
CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops);
INSERT INTO items VALUES (1, '[0,0]'), (2, '[1,0]'), (3, NULL), (4, '[2,0]');
SELECT id FROM items ORDER BY v <-> '[3,0]' LIMIT 10;
UPDATE items SET v = '[5,0]' WHERE id = 1;
UPDATE items SET v = '[4,0]' WHERE id = 3;
UPDATE items SET v = NULL WHERE id = 4;
SELECT id, v FROM items ORDER BY v <-> '[3.4,0]' LIMIT 10;
DELETE FROM items WHERE id = 2;
SELECT id, v FROM items ORDER BY v <-> '[3.4,0]' LIMIT 10;
BEGIN;
INSERT INTO items VALUES (5, '[3.5,0]');
SELECT id FROM items ORDER BY v <-> '[3.4,0]' LIMIT 10;
ROLLBACK;
SELECT id FROM items ORDER BY v <-> '[3.4,0]' LIMIT 10;
SELECT * FROM ivfpq_check('items_v');
TRUNCATE items;
SELECT id FROM items ORDER BY v <-> '[3,0]' LIMIT 10;
SELECT * FROM ivfpq_check('items_v');
INSERT INTO items VALUES (1, '[0,0]');
SELECT id FROM items ORDER BY v <-> '[3,0]' LIMIT 10;
BEGIN;
TRUNCATE items;
INSERT INTO items VALUES (2, '[1,1]');
ROLLBACK;
SELECT id FROM items ORDER BY v <-> '[3,0]' LIMIT 10;
SELECT * FROM ivfpq_check('items_v');

-- UPDATE that leaves the vector alone: in place of the row (HOT) and elsewhere
TRUNCATE items;
INSERT INTO items SELECT i, ARRAY[i, 0]::vector FROM generate_series(1, 20) AS i;
UPDATE items SET id = id + 100;
UPDATE items SET id = id + 100 WHERE id % 2 = 0;
SELECT id, v FROM items ORDER BY v <-> '[0,0]' LIMIT 4;
ALTER TABLE items ADD COLUMN note text;
CREATE INDEX items_note ON items (note);
UPDATE items SET note = 'x';
UPDATE items SET note = 'y' WHERE v <-> '[0,0]' < 4;
SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE note = 'y') AS changed FROM
    (SELECT * FROM items ORDER BY v <-> '[0,0]' LIMIT 100) AS nearest;
SELECT * FROM ivfpq_check('items_v');
VACUUM items;
SELECT count(*), count(DISTINCT id) FROM
    (SELECT * FROM items ORDER BY v <-> '[0,0]' LIMIT 100) AS nearest;
SELECT * FROM ivfpq_check('items_v');

-- Rows stored out of line
CREATE TABLE wide (id int, v vector(3000));
INSERT INTO wide SELECT i, array_agg(sin(i * d))::vector FROM generate_series(1, 12) AS i,
    generate_series(1, 3000) AS d GROUP BY i ORDER BY i;
CREATE INDEX wide_v ON wide USING ivfpq (v vector_cosine_ops);
INSERT INTO wide SELECT i, array_agg(sin(i * d))::vector FROM generate_series(13, 15) AS i,
    generate_series(1, 3000) AS d GROUP BY i ORDER BY i;
SELECT q.id, n.id AS nearest FROM wide AS q,
    LATERAL (SELECT id FROM wide ORDER BY wide.v <=> q.v LIMIT 1) AS n
WHERE q.id <> n.id;
SELECT * FROM ivfpq_check('wide_v');

-- Expression and partial indexes
CREATE TABLE notes (id int, kind text, v vector);
INSERT INTO notes SELECT i, CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END, ARRAY[i, 1, 0]::vector
FROM generate_series(1, 30) AS i;
INSERT INTO notes VALUES (31, 'two', '[1,2]');
CREATE INDEX notes_half ON notes USING ivfpq ((v::halfvec(3)) halfvec_l2_ops) WHERE kind <> 'two';
CREATE INDEX notes_a ON notes USING ivfpq ((v::vector(3)) vector_l2_ops) WHERE kind = 'a';
EXPLAIN (COSTS OFF) SELECT id FROM notes WHERE kind <> 'two' ORDER BY v::halfvec(3) <-> '[10,1,0]' LIMIT 3;
SELECT id FROM notes WHERE kind <> 'two' ORDER BY v::halfvec(3) <-> '[10.2,1,0]' LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM notes WHERE kind = 'a' ORDER BY v::vector(3) <-> '[10,1,0]' LIMIT 3;
SELECT id FROM notes WHERE kind = 'a' ORDER BY v::vector(3) <-> '[10,1,0]' LIMIT 3;
UPDATE notes SET kind = 'a' WHERE id = 10;
UPDATE notes SET kind = 'b' WHERE id = 9;
SELECT id FROM notes WHERE kind = 'a' ORDER BY v::vector(3) <-> '[10,1,0]' LIMIT 3;
-- The partial index answers no question without ORDER BY
CREATE FUNCTION uses(index text, query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    plan text;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan ~ ('"Index Name": "' || index || '"');
END
$$;
SELECT uses('notes_a', 'SELECT id FROM notes WHERE kind = ''a'' ORDER BY v::vector(3) <-> ''[1,1,0]'' LIMIT 1'),
    uses('notes_a', 'SELECT count(*) FROM notes WHERE kind = ''a''') AS without_order;
SELECT count(*) FROM notes WHERE kind = 'a';
SELECT * FROM ivfpq_check('notes_half');
SELECT * FROM ivfpq_check('notes_a');

DROP TABLE points, items, wide, notes;
DROP FUNCTION ordered, uses;

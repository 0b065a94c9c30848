-- Indexes of nothing and next to nothing, at the least memory and with the largest and smallest options:
-- built, searched, written to.
SET enable_seqscan = off;
SET client_min_messages = warning;  -- fewer lists than asked for
SET maintenance_work_mem = '1MB';
CREATE FUNCTION attempt(dims int, options text) RETURNS TABLE (rows text, built bigint, before_insert bigint,
    after_insert bigint, flaws bigint) LANGUAGE plpgsql AS $$
DECLARE
    search text := format('SELECT count(*) FROM (SELECT id FROM small ORDER BY v <=>
        array_fill(0.5, ARRAY[%s])::vector LIMIT 10) AS nearest', dims);
    one text := format('array_fill(0.25, ARRAY[%s])::vector', dims);
    other text := format('(array_fill(0.25, ARRAY[%s]) || 1.0)::vector', dims - 1);
    source text[];

BEGIN
    FOREACH source SLICE 1 IN ARRAY ARRAY[
        ['none', 'SELECT 1, NULL WHERE false'],
        ['one', 'SELECT 1, ' || one],
        ['all NULL', 'SELECT i, NULL FROM generate_series(1, 5) AS i'],
        ['two and NULL', format('VALUES (1, %s), (2, %s), (3, NULL)', one, other)],
        ['a zero', format('SELECT 1, array_fill(0, ARRAY[%s])::vector', dims)]]
    LOOP
        rows := source[1];
        EXECUTE format('CREATE TABLE small (id int, v vector(%s))', dims);
        EXECUTE 'INSERT INTO small ' || source[2];
        EXECUTE format('CREATE INDEX small_v ON small USING ivfpq (v vector_cosine_ops) WITH (%s)', options);
        SELECT s.rows INTO built FROM ivfpq_stats('small_v') AS s;
        EXECUTE search INTO before_insert;
        EXECUTE format('INSERT INTO small VALUES (7, %s), (8, %s), (9, NULL)', one, other);
        EXECUTE search INTO after_insert;
        SELECT count(*) INTO flaws FROM ivfpq_check('small_v');
        RETURN NEXT;
        DROP TABLE small;
    END LOOP;
END
$$;
SELECT dims, options, a.* FROM unnest(ARRAY[2, 3, 768, 16000]) AS dims,
    unnest(ARRAY['lists = 1, refine_bits = 4', 'lists = 1000, refine_bits = 8', 'codec = pq, rotation = opq',
        'codec = pq, code_bits = 8, subvectors = 1, rotation = none']) AS options,
    LATERAL attempt(dims, options) AS a;

-- The same memory for more rows, with one to eight workers' threads
CREATE TABLE items (id int, v vector(16));
INSERT INTO items SELECT i, array_agg(sin(i * d * 0.618))::vector FROM generate_series(1, 1500) AS i,
    generate_series(1, 16) AS d GROUP BY i ORDER BY i;
SET max_parallel_maintenance_workers = 0;
CREATE INDEX items_1 ON items USING ivfpq (v vector_l2_ops);
SELECT * FROM ivfpq_check('items_1');
SET max_parallel_maintenance_workers = 8;
\set VERBOSITY terse
CREATE INDEX items_9 ON items USING ivfpq (v vector_l2_ops) WITH (lists = 1500);
SELECT * FROM ivfpq_check('items_9');
DROP INDEX items_1;
SELECT count(DISTINCT id) FROM (SELECT id FROM items ORDER BY v <-> (SELECT v FROM items AS i WHERE i.id = 9) LIMIT 2000) AS n;
DROP TABLE items;
DROP FUNCTION attempt;

-- Every number of dimensions: build, insert, search and check, with each metric, codec and type. All lists are
-- read, so that what is found depends on the codes alone.
SET enable_seqscan = off;
SET client_min_messages = warning;  -- fewer lists than asked for
SET ivfpq.probes = 1000;
CREATE FUNCTION attempt(type text, dims int, options text, built int, inserted int) RETURNS TABLE (metric text, rows bigint,
    exact bigint, flaws bigint) LANGUAGE plpgsql AS $$
DECLARE
    metric text;
    operator text;
BEGIN
    EXECUTE format('CREATE TABLE dims_items (id int, v %s(%s))', type, dims);
    EXECUTE format('CREATE FUNCTION pg_temp.item(int) RETURNS %1$s LANGUAGE sql AS
        ''SELECT array_agg(sin($1 * 0.37 + d * (1 + $1 %% 5) * 0.11) + $1 * 0.01)::%1$s FROM generate_series(1, %2$s) AS d''',
        type, dims);
    EXECUTE format('INSERT INTO dims_items SELECT i, pg_temp.item(i) FROM generate_series(1, %s) AS i', built);
    FOREACH metric IN ARRAY ARRAY['l2', 'ip', 'cosine'] LOOP
        EXECUTE format('CREATE INDEX dims_%2$s ON dims_items USING ivfpq (v %1$s_%2$s_ops) WITH (%3$s)', type, metric, options);
    END LOOP;
    EXECUTE format('INSERT INTO dims_items SELECT %s + i, pg_temp.item(%1$s + i) FROM generate_series(1, %s) AS i',
        built, inserted);
    FOREACH metric IN ARRAY ARRAY['l2', 'ip', 'cosine'] LOOP
        attempt.metric := metric;
        operator := CASE metric WHEN 'l2' THEN '<->' WHEN 'ip' THEN '<#>' ELSE '<=>' END;
        EXECUTE format('SELECT count(DISTINCT id) FROM (SELECT id FROM dims_items ORDER BY v %s pg_temp.item(3)
            LIMIT 100000) AS nearest', operator) INTO rows;
        -- Queries whose nearest by index is as near as the nearest of all
        EXECUTE format('SELECT count(*) FROM (SELECT v AS q FROM dims_items WHERE id %% 10 = 1) AS queries,
            LATERAL (SELECT v %1$s q AS d FROM dims_items ORDER BY v %1$s q LIMIT 1) AS n
            WHERE n.d <= (SELECT min(v %1$s q) FROM dims_items)', operator) INTO exact;
        EXECUTE format('SELECT count(*) FROM ivfpq_check(''dims_%s'')', metric) INTO flaws;
        RETURN NEXT;
    END LOOP;
    DROP TABLE dims_items;
    EXECUTE 'DROP FUNCTION pg_temp.item';
END
$$;
SELECT dims, a.* FROM unnest(ARRAY[1, 2, 3, 7, 63, 64, 65, 127, 384]) AS dims,
    LATERAL attempt('vector', dims, 'codec = rabitq', 200, 100) AS a;
SELECT dims, bits, a.* FROM unnest(ARRAY[1, 7, 65, 384]) AS dims, unnest(ARRAY[4, 8]) AS bits,
    LATERAL attempt('vector', dims, 'codec = pq, code_bits = ' || bits, 200, 100) AS a;
SELECT dims, codec, a.* FROM unnest(ARRAY[2000, 4096]) AS dims, unnest(ARRAY['rabitq', 'pq']) AS codec,
    LATERAL attempt('vector', dims, 'codec = ' || codec, 40, 20) AS a;
SELECT dims, a.* FROM unnest(ARRAY[1, 7, 64, 129]) AS dims,
    LATERAL attempt('halfvec', dims, 'lists = 3, rotation = none', 200, 100) AS a;
SELECT dims, a.* FROM unnest(ARRAY[2001, 16000]) AS dims,
    LATERAL attempt('halfvec', dims, 'refine_bits = 8', 30, 20) AS a;
DROP FUNCTION attempt;

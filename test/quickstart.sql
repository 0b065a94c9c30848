-- What quickstart.sh shows once the table `words` and its indexes exist. Standard input of psql.
\set QUIET on
SET client_min_messages = warning;
\pset footer off

-- nearest: the words closest to a given word, the word itself left out.
CREATE OR REPLACE FUNCTION nearest(word text, k int DEFAULT 10)
RETURNS TABLE (neighbour text, distance float8)
LANGUAGE sql STABLE AS $$
    SELECT w.word, w.embedding <=> (SELECT q.embedding FROM words q WHERE q.word = $1)
    FROM words w
    WHERE w.word <> $1
    ORDER BY w.embedding <=> (SELECT q.embedding FROM words q WHERE q.word = $1)
    LIMIT k
$$;

\echo
\echo '== Nearest words, by cosine distance: SELECT * FROM nearest(''king'', 8)'
SELECT place AS "#",
       max(found) FILTER (WHERE query = 'king') AS "king",
       max(found) FILTER (WHERE query = 'paris') AS "paris",
       max(found) FILTER (WHERE query = 'guitar') AS "guitar",
       max(found) FILTER (WHERE query = 'monday') AS "monday",
       max(found) FILTER (WHERE query = 'doctor') AS "doctor",
       max(found) FILTER (WHERE query = 'blue') AS "blue"
FROM (SELECT query, row_number() OVER (PARTITION BY query ORDER BY distance) AS place,
             format('%s  %s', rpad(neighbour, 12), round(distance::numeric, 3)) AS found
      FROM unnest(ARRAY['king', 'paris', 'guitar', 'monday', 'doctor', 'blue']) AS query,
           nearest(query, 8)) AS s
GROUP BY place
ORDER BY place;

\echo
\echo == With a WHERE clause: the same query, among the 2,000 most frequent words
\set ECHO queries
SELECT rank, word,
       round((embedding <=> (SELECT embedding FROM words WHERE word = 'king'))::numeric, 3) AS distance
FROM words
WHERE rank <= 2000
ORDER BY embedding <=> (SELECT embedding FROM words WHERE word = 'king')
LIMIT 6;

SELECT rank, word,
       round((embedding <=> (SELECT embedding FROM words WHERE word = 'king'))::numeric, 3) AS distance
FROM words
WHERE word LIKE 's%'
ORDER BY embedding <=> (SELECT embedding FROM words WHERE word = 'king')
LIMIT 6;
\set ECHO none

-- The same statement with and without the index. One backend and one cached plan each, so that the
-- figures compare the searches.
CREATE OR REPLACE FUNCTION nearest_by_index(query vector) RETURNS int[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN (SELECT array_agg(rank) FROM
        (SELECT rank FROM words ORDER BY embedding <=> query LIMIT 10) AS s);
END $$;

CREATE OR REPLACE FUNCTION nearest_exact(query vector) RETURNS int[]
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_indexscan = off
SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
    RETURN (SELECT array_agg(rank) FROM
        (SELECT rank FROM words ORDER BY embedding <=> query LIMIT 10) AS s);
END $$;

CREATE OR REPLACE FUNCTION compare(setting text, value int, queries int)
RETURNS TABLE (hits int, index_ms float8, exact_ms float8)
LANGUAGE plpgsql AS $$
DECLARE
    q vector;
    started timestamptz;
    by_index int[];
    exact int[];
BEGIN
    PERFORM set_config(setting, value::text, true);
    FOR q IN SELECT embedding FROM words WHERE rank % (20000 / queries) = 7 ORDER BY rank LOOP
        started := clock_timestamp();
        by_index := nearest_by_index(q);
        index_ms := extract(epoch FROM clock_timestamp() - started) * 1000;
        started := clock_timestamp();
        exact := nearest_exact(q);
        exact_ms := extract(epoch FROM clock_timestamp() - started) * 1000;
        hits := (SELECT count(*) FROM unnest(by_index) AS r WHERE r = ANY (exact));
        RETURN NEXT;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION summary(setting text, tried int[])
RETURNS TABLE (value text, recall numeric, index_ms numeric, exact_ms numeric, times_faster numeric)
LANGUAGE sql AS $$
    SELECT one::text, round(avg(hits) / 10, 4), round(index_median::numeric, 3),
           round(exact_median::numeric, 3), round((exact_median / index_median)::numeric, 1)
    FROM (SELECT one, avg(hits) AS hits,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY c.index_ms) AS index_median,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY c.exact_ms) AS exact_median
          FROM unnest(tried) AS one, compare(setting, one, 100) AS c GROUP BY one) AS s
    GROUP BY one, index_median, exact_median ORDER BY one
$$;

-- Each index by itself: the other one is away until the rollback.
\echo
\echo == How good, how fast: 100 query words, 10 neighbours each, against exact search
BEGIN;
DROP INDEX words_lists;
SELECT value AS "hnsw.ef_search", recall AS "recall@10", index_ms AS "index, median ms",
       exact_ms AS "exact, median ms", times_faster AS "times faster"
FROM summary('hnsw.ef_search', ARRAY[40, 100, 200]);
ROLLBACK;
BEGIN;
DROP INDEX words_graph;
SELECT CASE value WHEN '0' THEN (SELECT probes || ' (measured)' FROM ivfpq_meta('words_lists'))
           ELSE value END AS "ivfpq.probes",
       recall AS "recall@10", index_ms AS "index, median ms",
       exact_ms AS "exact, median ms", times_faster AS "times faster"
FROM summary('ivfpq.probes', ARRAY[0, 40, 80]);
ROLLBACK;

\echo
\echo == What it takes
SELECT relation, pg_size_pretty(bytes) AS size, round(bytes / pg_table_size('words'), 2) AS "of the table"
FROM (SELECT relation, pg_table_size(relation::regclass)::numeric AS bytes
      FROM unnest(ARRAY['words', 'words_graph', 'words_lists']) AS relation) AS s;
\x on
SELECT * FROM hnsw_stats('words_graph'::regclass);
SELECT * FROM ivfpq_stats('words_lists'::regclass);
\x off

\echo
\echo == One query, explained
\set ECHO queries
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF)
SELECT word FROM words
ORDER BY embedding <=> (SELECT embedding FROM words WHERE rank = 777)
LIMIT 10;

-- What quickstart.sh shows once the table `words` and its index exist. Standard input of psql.
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

CREATE OR REPLACE FUNCTION compare(ef_search int, queries int)
RETURNS TABLE (hits int, index_ms float8, exact_ms float8)
LANGUAGE plpgsql AS $$
DECLARE
    q vector;
    started timestamptz;
    by_index int[];
    exact int[];
BEGIN
    PERFORM set_config('hnsw.ef_search', ef_search::text, true);
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

\echo
\echo == How good, how fast: 100 query words, 10 neighbours each, against exact search
WITH measured AS (
    SELECT ef, avg(hits) / 10 AS recall,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY index_ms) AS index_ms,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY exact_ms) AS exact_ms
    FROM unnest(ARRAY[40, 100, 200]) AS ef, compare(ef, 100)
    GROUP BY ef)
SELECT ef AS "hnsw.ef_search", round(recall, 4) AS "recall@10",
       round(index_ms::numeric, 3) AS "index, median ms",
       round(exact_ms::numeric, 3) AS "exact, median ms",
       round((exact_ms / index_ms)::numeric, 1) AS "times faster"
FROM measured
ORDER BY ef;

\echo
\echo == What it takes
SELECT pg_size_pretty(pg_table_size('words')) AS "table",
       pg_size_pretty(pg_relation_size('words_embedding_idx')) AS "index",
       round(pg_relation_size('words_embedding_idx')::numeric / pg_table_size('words'), 2)
           AS "index / table";
SELECT * FROM hnsw_stats('words_embedding_idx'::regclass);

\echo
\echo == One query, explained
\set ECHO queries
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF)
SELECT word FROM words
ORDER BY embedding <=> (SELECT embedding FROM words WHERE rank = 777)
LIMIT 10;

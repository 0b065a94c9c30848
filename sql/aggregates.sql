-- avg() and sum() of vector and halfvec.
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;

SELECT avg(v), sum(v), avg(v::halfvec) AS half_avg, sum(v::halfvec) AS half_sum
FROM unnest('{"[1,2,3]",NULL,"[3,5,-7]"}'::vector[]) AS v;
-- Nothing to average is NULL, whichever way there is nothing
SELECT avg(v), sum(v), avg(v::halfvec) AS half_avg, sum(v::halfvec) AS half_sum
    FROM unnest('{}'::vector[]) AS v;
SELECT avg(v), sum(v), avg(v::halfvec) AS half_avg, sum(v::halfvec) AS half_sum
    FROM unnest('{NULL,NULL}'::vector[]) AS v;
SELECT avg(v) AS minus_zero, sum(v) AS sum FROM unnest('{"[-0]"}'::vector[]) AS v;

-- Averages are taken in double precision; sums are not and may overflow
SELECT avg(v) AS large FROM unnest('{"[3e38]","[3e38]","[-3e38]"}'::vector[]) AS v;
SELECT statement, pg_temp.attempt('SELECT ' || statement) AS result
FROM unnest(ARRAY[
    'sum(v) FROM unnest(''{"[3e38]","[3e38]"}''::vector[]) AS v',
    'sum(v) FROM unnest(''{"[65504]","[65504]"}''::halfvec[]) AS v',
    'avg(v) FROM unnest(''{"[65504]","[65504]"}''::halfvec[]) AS v',
    'avg(v) FROM unnest(''{"[1,2]","[3]"}''::vector[]) AS v',
    'sum(v) FROM unnest(''{"[1,2]","[3]"}''::vector[]) AS v',
    'avg(v) FROM unnest(''{"[1]","[2,3]"}''::halfvec[]) AS v',
    'sum(v) FROM unnest(''{"[1]","[2,3]"}''::halfvec[]) AS v'
]) AS statement;

-- Serial and parallel, against exact sums
CREATE TABLE aggregates (id int, class int, v vector);
INSERT INTO aggregates
    SELECT i, i % 7, CASE WHEN i % 5 > 0 THEN ARRAY[i % 2000, -(i % 2000), i % 10]::vector END
        FROM generate_series(1, 5000) AS i;
CREATE VIEW aggregates_expected AS
    SELECT class, ARRAY[avg(id % 2000), -avg(id % 2000), avg(id % 10)]::vector AS avg,
           ARRAY[sum(id % 2000), -sum(id % 2000), sum(id % 10)]::float8[]::vector AS sum
    FROM aggregates WHERE v IS NOT NULL GROUP BY ROLLUP (class);
CREATE VIEW aggregates_actual AS
    SELECT class, avg(v), sum(v), avg(v::halfvec) AS half_avg FROM aggregates GROUP BY class
    UNION ALL SELECT NULL, avg(v), sum(v), avg(v::halfvec) FROM aggregates;
SELECT count(*) AS groups, bool_and(a.avg = e.avg) AS avg, bool_and(a.sum = e.sum) AS sum,
       bool_and(a.half_avg = e.avg::halfvec) AS half_avg
FROM aggregates_actual AS a JOIN aggregates_expected AS e ON a.class IS NOT DISTINCT FROM e.class;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v::halfvec) FROM aggregates;
SELECT count(*) AS groups, bool_and(a.avg = e.avg) AS avg, bool_and(a.sum = e.sum) AS sum,
       bool_and(a.half_avg = e.avg::halfvec) AS half_avg
FROM aggregates_actual AS a JOIN aggregates_expected AS e ON a.class IS NOT DISTINCT FROM e.class;
-- Workers that saw no value at all
SELECT avg(v), sum(v), avg(v::halfvec) AS half_avg FROM aggregates WHERE v IS NULL;
SELECT avg(v), sum(v), avg(v::halfvec) AS half_avg FROM aggregates WHERE id = 1;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- Sums are built in place, which must never show in the values summed
SELECT sum(v), sum(v) FILTER (WHERE id < 3) AS filtered, avg(DISTINCT v) FROM aggregates
    WHERE id < 5;
SELECT id, sum(v) OVER w, avg(v) OVER w FROM aggregates WHERE id < 5
WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ORDER BY id;
SELECT id, sum(v) OVER (ORDER BY id), v FROM aggregates WHERE id < 5 ORDER BY id;
TRUNCATE aggregates;
INSERT INTO aggregates SELECT i, 0, array_fill(i, ARRAY[3000])::vector FROM generate_series(1,
    3) AS i;
SELECT subvector(sum(v), 2999, 2), subvector(avg(v), 2999, 2) AS avg, subvector(sum(v::halfvec),
    1, 2) AS half FROM aggregates;
SELECT id, subvector(v, 1, 2) FROM aggregates ORDER BY id;
DROP VIEW aggregates_expected, aggregates_actual;
DROP TABLE aggregates;

-- The state functions, with states of anyone's making
SELECT vector_accum('{0}', '[1,2]'), vector_accum('{2,10,20}', '[1,2]'), vector_avg('{2,4,6}'),
       vector_combine('{1,2}', '{3,4}'), vector_combine('{0}', '{3,4}') AS first_empty,
       vector_combine('{3,4}', '{0}') AS second_empty;
SELECT halfvec_accum('{0}', '[1,2]'), halfvec_accum('{2,10,20}', '[1,2]'), halfvec_avg('{2,4,6}'),
       halfvec_combine('{1,2}', '{3,4}'), halfvec_avg('{0,1}') AS none, vector_avg('{0}') AS zero;
SELECT statement, pg_temp.attempt('SELECT ' || statement) AS result
FROM unnest(ARRAY[
    'vector_accum(''{}'', ''[1]'')', 'vector_accum(''{{0}}'', ''[1]'')',
    'vector_accum(''{0,NULL}'', ''[1]'')', 'vector_accum(''{1,2,3}'', ''[1]'')',
    'vector_accum(''{1,1e308}'', ''[1]'')', 'vector_accum(''{1,Infinity}'', ''[1]'')',
    'vector_avg(''{}'')', 'vector_avg(''{1}'')', 'vector_avg(''{{1,2}}'')',
    'vector_avg(''{1,NaN}'')', 'vector_avg(''{1,1e39}'')',
    'vector_avg(array_fill(1::float8, ARRAY[16002]))', 'vector_combine(''{}'', ''{1,2}'')',
    'vector_combine(''{1,2}'', ''{NULL}'')', 'vector_combine(''{0}'', ''{0}'')',
    'vector_combine(''{1,2}'', ''{1,2,3}'')', 'vector_combine(''{1,1e308}'', ''{1,1e308}'')',
    'halfvec_accum(''{}'', ''[1]'')', 'halfvec_avg(''{}'')', 'halfvec_avg(''{1}'')',
    'halfvec_avg(''{1,65520}'')', 'halfvec_combine(''{}'', ''{1,2}'')',
    'halfvec_avg(''{1,Infinity}'')'
]) AS statement;

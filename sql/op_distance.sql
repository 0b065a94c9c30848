-- Distance functions and operators of vector and halfvec, and what the planner thinks they cost.
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

-- Against the definitions, in double precision over small integers, where float sums are exact, and
-- over lengths that leave every possible remainder to the vector registers.
CREATE TABLE op_distance AS
    SELECT dims, array_agg((i * 37 + dims * 11) % 19 - 9 ORDER BY i) AS a,
           array_agg((i * 53 + dims * 7) % 23 - 11 ORDER BY i) AS b
    FROM generate_series(1, 131) AS dims, generate_series(1, dims) AS i GROUP BY dims;
INSERT INTO op_distance
    SELECT dims, array_agg((i * 37) % 19 - 9 ORDER BY i), array_agg((i * 53) % 23 - 11 ORDER BY i)
    FROM unnest(ARRAY[384, 1000, 1536, 16000]) AS dims, generate_series(1, dims) AS i GROUP BY dims;
CREATE TABLE op_distance_expected AS
    SELECT dims, sqrt(sum((x - y) * (x - y))::float8) AS l2, sum(x * y)::float8 AS product,
           1 - sum(x * y) / sqrt(sum(x * x)::float8 * sum(y * y)) AS cosine,
           sum(abs(x - y))::float8 AS l1
    FROM op_distance, unnest(a, b) AS pair(x, y) GROUP BY dims;
SELECT count(*) AS pairs,
       bool_and(a::vector <-> b::vector = l2) AS l2,
       bool_and(a::vector <#> b::vector = -product) AS negative_product,
       bool_and(abs((a::vector <=> b::vector) - cosine) < 1e-12) AS cosine,
       bool_and(a::vector <+> b::vector = l1) AS l1,
       bool_and(l2_distance(a::vector, b::vector) = l2) AS l2_distance,
       bool_and(inner_product(a::vector, b::vector) = product) AS inner_product,
       bool_and(vector_l2_squared_distance(a::vector, b::vector) = round(l2 * l2)) AS l2_squared
FROM op_distance JOIN op_distance_expected USING (dims);
SELECT count(*) AS pairs,
       bool_and(a::halfvec <-> b::halfvec = l2) AS l2,
       bool_and(a::halfvec <#> b::halfvec = -product) AS negative_product,
       bool_and(abs((a::halfvec <=> b::halfvec) - cosine) < 1e-12) AS cosine,
       bool_and(a::halfvec <+> b::halfvec = l1) AS l1,
       bool_and(l2_distance(a::halfvec, b::halfvec) = l2) AS l2_distance,
       bool_and(inner_product(a::halfvec, b::halfvec) = product) AS inner_product,
       bool_and(halfvec_l2_squared_distance(a::halfvec, b::halfvec) = round(l2 * l2)) AS l2_squared
FROM op_distance JOIN op_distance_expected USING (dims);

-- Symmetric, and zero to oneself
SELECT bool_and(a::vector <-> b::vector = b::vector <-> a::vector) AS l2,
       bool_and(a::vector <#> b::vector = b::vector <#> a::vector) AS product,
       bool_and(a::vector <=> b::vector = b::vector <=> a::vector) AS cosine,
       bool_and(a::vector <+> b::vector = b::vector <+> a::vector) AS l1,
       bool_and(a::vector <-> a::vector = 0 AND a::vector <=> a::vector = 0
       AND a::vector <+> a::vector = 0) AS self
FROM op_distance WHERE vector_norm(a::vector) > 0;
DROP TABLE op_distance, op_distance_expected;

-- Float sums may overflow to infinity; the cosine is then undefined
SELECT '[1e38,0]'::vector <-> '[-1e38,0]' AS l2, '[1e38]'::vector <#> '[1e38]' AS product,
       '[3e38]'::vector <+> '[-3e38]' AS l1, '[1e38]'::vector <=> '[1e38]' AS cosine;
-- Squares below the float range: such a vector only looks like zero
SELECT '[1e-30,0]'::vector <=> '[1e-30,1e-30]' AS small,
    '[1e-45,0]'::vector <=> '[0,1]' AS subnormal,
       '[2e-38,0]'::vector <=> '[-3,0]' AS opposite;
SELECT '[0,0]'::vector <=> '[1,0]' AS zero, '[0]'::vector <=> '[-0]' AS zeros,
    '[0]'::halfvec <=> '[1]' AS half_zero,
       '[6e-8,0]'::halfvec <=> '[6e-8,6e-8]' AS half_subnormal;
SELECT '[65504]'::halfvec <-> '[-65504]' AS l2, '[65504]'::halfvec <#> '[65504]' AS product,
       '[65504]'::halfvec <=> '[-65504]' AS cosine, '[65504]'::halfvec <+> '[-65504]' AS l1;
-- Never outside [0, 2], however the sums round
SELECT bool_and(v <=> (v * array_fill(0.1, ARRAY[dims])::vector) BETWEEN 0 AND 1e-6) AS parallel,
       bool_and(v <=> (v * array_fill(-0.3, ARRAY[dims])::vector) BETWEEN 1.999999 AND 2) AS counter
FROM generate_series(1, 100) AS dims,
     LATERAL (SELECT array_agg(1 + sin(i * dims))::vector AS v
              FROM generate_series(1, dims) AS i) AS sample;
-- Angles between unit vectors as fractions of a half turn
SELECT vector_spherical_distance('[1,0]', '[0,1]') AS right_angle,
    vector_spherical_distance('[1,0]', '[-1,0]') AS opposite,
       vector_spherical_distance('[1,1]', '[1,1]') AS beyond_unit,
       halfvec_spherical_distance('[1,0]', '[0,1]') AS half;

-- Dimensions must agree, in functions and operators of both types
SELECT call, pg_temp.attempt('SELECT ' || call) AS result
FROM unnest(ARRAY['vector', 'halfvec']) AS type,
     unnest(ARRAY['l2_distance', 'inner_product', 'cosine_distance', 'l1_distance',
         '%2$s_l2_squared_distance',
                  '%2$s_negative_inner_product', '%2$s_spherical_distance']) AS name,
     format(name || '(''[1,2]''::%2$s, ''[3]'')', name, type) AS call;
SELECT '[1]'::vector <-> NULL AS null_operand;

-- A parameter and rows stored out of line give the same answer as a constant and inline rows
CREATE TABLE op_distance_stored (id int, v vector(1000));
ALTER TABLE op_distance_stored ALTER v SET STORAGE plain;
INSERT INTO op_distance_stored
    SELECT i, (SELECT array_agg((i * j) % 17 ORDER BY j) FROM generate_series(1, 1000) AS j)::vector
    FROM generate_series(1, 20) AS i;
CREATE TABLE op_distance_toasted (LIKE op_distance_stored);
ALTER TABLE op_distance_toasted ALTER v SET STORAGE external;
-- plain values of 4 kB stay inline; || makes values that go through the TOAST code
INSERT INTO op_distance_toasted SELECT id, subvector(v, 1, 500) || subvector(v, 501, 500)
    FROM op_distance_stored;
SELECT pg_relation_size(reltoastrelid) > 0 AS out_of_line
FROM pg_class WHERE relname = 'op_distance_toasted';
PREPARE nearest(vector) AS
    SELECT id, round((v <-> $1)::numeric, 3) AS distance FROM op_distance_toasted
        ORDER BY v <-> $1 LIMIT 3;
SELECT v AS q FROM op_distance_stored WHERE id = 7 \gset
SET plan_cache_mode = force_generic_plan;
EXECUTE nearest(:'q');
RESET plan_cache_mode;
SELECT id, round((v <-> (SELECT v FROM op_distance_stored WHERE id = 7))::numeric, 3) AS distance
FROM op_distance_stored ORDER BY 2, 1 LIMIT 3;

-- The planner's cost of a distance grows with the dimensions and with fetching from TOAST
CREATE FUNCTION pg_temp.total_cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Total Cost')::float8;
END
$$;
-- of one call, in units of cpu_operator_cost; both tables have 20 rows
CREATE FUNCTION pg_temp.distance_cost(relation text) RETURNS numeric LANGUAGE sql AS $$
    SELECT round((pg_temp.total_cost(format('SELECT v <-> %L FROM %I LIMIT 20', q, relation))
                  - pg_temp.total_cost(format('SELECT 1 FROM %I LIMIT 20', relation)))::numeric
                 / 20 / current_setting('cpu_operator_cost')::numeric)
    FROM (SELECT array_fill(1, ARRAY[1000])::vector AS q) AS query
$$;
VACUUM ANALYZE op_distance_stored, op_distance_toasted;
SELECT round(pg_temp.distance_cost('op_distance_stored')) BETWEEN 50 AND 150 AS inline,
       round(pg_temp.distance_cost('op_distance_toasted')) BETWEEN 400 AND 1000 AS out_of_line;
-- Without statistics the size and the storage decide, without dimensions the constant's
DELETE FROM pg_statistic WHERE starelid IN ('op_distance_stored'::regclass,
    'op_distance_toasted'::regclass);
SELECT round(pg_temp.distance_cost('op_distance_stored')) BETWEEN 50 AND 150 AS inline,
       round(pg_temp.distance_cost('op_distance_toasted')) BETWEEN 400 AND 1000 AS out_of_line;
ALTER TABLE op_distance_stored ALTER v TYPE vector, ALTER v SET STORAGE plain;
SELECT round(pg_temp.distance_cost('op_distance_stored')) BETWEEN 50 AND 150 AS untyped;
DROP TABLE op_distance_stored, op_distance_toasted;
DEALLOCATE nearest;

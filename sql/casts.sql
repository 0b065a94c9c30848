-- Casts between vector, halfvec and arrays of numbers.
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

-- All casts and when they apply: i without asking, a on assignment
SELECT castsource::regtype AS source, casttarget::regtype AS target, castcontext, castmethod
FROM pg_cast
WHERE 'vector'::regtype IN (castsource, casttarget)
   OR 'halfvec'::regtype IN (castsource, casttarget)
ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";

-- Arrays of every kind of number
SELECT type, pg_temp.attempt(format('SELECT ''{1,-2,3}''::%s[]::%s(3)', source, type)) AS result,
    source
FROM unnest(ARRAY['vector', 'halfvec']) AS type,
     unnest(ARRAY['integer', 'real', 'double precision', 'numeric', 'bigint', 'text']) AS source
ORDER BY type DESC, source;

-- Refused in the same words whatever the source: shape, nulls, dimensions, NaN, infinity, range
SELECT type, source, value, pg_temp.attempt(format('SELECT %L::%s[]::%s', value, source,
    type)) AS result
FROM unnest(ARRAY['vector', 'halfvec']) AS type,
     unnest(ARRAY['real', 'double precision', 'numeric']) AS source,
     unnest(ARRAY['{}', '{{1,2}}', '{1,NULL}', '{1,NaN}', '{Infinity}', '{-Infinity}', '{1e39}',
         '{65520}', '{-1e-50}']) AS value
WHERE NOT (source = 'real' AND value IN ('{1e39}', '{-1e-50}'))
  AND NOT (source = 'numeric' AND value LIKE '%Infinity%')
ORDER BY type DESC, source, value COLLATE "C";
SELECT pg_temp.attempt('SELECT ''{1,2,3}''::real[]::vector(2)') AS vector,
       pg_temp.attempt('SELECT ''{1,2,3}''::integer[]::halfvec(4)') AS halfvec,
       pg_temp.attempt('SELECT ''[0:2]={1,2,3}''::integer[]::vector') AS other_lower_bound,
       pg_temp.attempt('SELECT ''{2147483647,-2147483648}''::integer[]::vector') AS rounded;
-- An array whose null bitmap marks nothing
SELECT (array_remove(ARRAY[1, NULL, 3], NULL) || 4)::vector AS removed, (ARRAY[NULL, 2,
    3])[2:3]::vector AS sliced;
SELECT pg_temp.attempt(format('SELECT vector_dims(array_fill(1, ARRAY[%s])::%s)', dims,
    type)) AS result
FROM unnest(ARRAY['vector', 'halfvec']) AS type, unnest(ARRAY[16000, 16001, 100000]) AS dims
ORDER BY type DESC, dims;
SELECT pg_temp.attempt('SELECT array_to_vector(array_fill(1, ARRAY[16001]), 16001, false)');

-- To arrays
SELECT '[1,-0,1e-45,3.4028235e38]'::vector::real[] AS vector,
    '[1,-0,6e-8,65504]'::halfvec::real[] AS halfvec;
SELECT array_dims('[1,2,3]'::vector::real[]), array_length(array_fill(1,
    ARRAY[16000])::vector::real[], 1),
       '[1,2,3]'::vector::real[] = ARRAY[1, 2, 3]::real[] AS equal;
CREATE TABLE casts (f real[], h halfvec, v vector);
INSERT INTO casts VALUES ('[1,2]'::vector, '[3,4]'::vector, '[5,6]'::halfvec);
INSERT INTO casts VALUES ('[1,2]'::halfvec, ARRAY[3, 4], ARRAY[5.5, 6]);
SELECT * FROM casts;
DROP TABLE casts;

-- Between the two
SELECT '[1,0.1,65504]'::vector::halfvec AS narrowed, '[1,0.1,65504]'::halfvec::vector AS widened,
       '[1e-8,-1e-8]'::vector::halfvec AS underflow;
SELECT pg_temp.attempt('SELECT ''[1,65520]''::vector::halfvec') AS range,
       pg_temp.attempt('SELECT ''[-1e38]''::vector::halfvec') AS far_out,
       pg_temp.attempt('SELECT ''[1,2]''::vector::halfvec(3)') AS dims,
       pg_temp.attempt('SELECT ''[1,2]''::halfvec::vector(1)') AS back;
-- vector converts without asking, so mixed operands work as halfvec does
SELECT '[1,2]'::vector <-> '[4,6]'::halfvec AS distance,
    pg_typeof('[1,2]'::vector || '[3]'::halfvec) AS type;

-- Between equal types: the modifier is checked, the value unchanged
SELECT '[1,2]'::vector::vector(2) AS vector,
    pg_temp.attempt('SELECT ''[1,2]''::vector::vector(3)') AS refused,
       pg_temp.attempt('SELECT ''[1,2]''::halfvec::halfvec(3)') AS half_refused;
-- Arrays still compare as arrays
SELECT ARRAY[1, 2] = ARRAY[1, 2] AS arrays;

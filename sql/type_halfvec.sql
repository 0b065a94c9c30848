-- Text input and output, type modifiers and functions of halfvec.
CREATE FUNCTION pg_temp.attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    detail text;
BEGIN
    EXECUTE statement INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE, SQLERRM, '(' || nullif(detail, '') || ')');
END
$$;

-- Numbers are rounded to half precision, to nearest even, and written as the float they stand for
SELECT input, pg_temp.attempt(format('SELECT %L::halfvec', input)) AS result
FROM unnest(ARRAY[
    '[1,2,3]', '[-1.5,+2.25,.5,5.]', E' \t\n\r\x0b\f[ 1 ,\t2\n] ', '[0.1,0.2,0.3]', '[2049,2051]',
    '[0,-0]', '[0x10,1e3]', '[1.00048828125,1.00146484375]'
]) AS input;

-- The ends of the range: subnormals, underflow and overflow
SELECT input, pg_temp.attempt(format('SELECT %L::halfvec', input)) AS result
FROM unnest(ARRAY[
    '[65504,-65504]', '[65519.996,-65519.996]', '[65520]', '[-65520]', '[1e39]', '[6.1035156e-05]',
    '[6.0975552e-05]', '[5.9604645e-08,-5.9604645e-08]', '[2.9802323e-08]', '[2.98024e-08,-1e-45]'
]) AS input;

-- What is not a halfvec
SELECT input, pg_temp.attempt(format('SELECT %L::halfvec', input)) AS result
FROM unnest(ARRAY[
    '', '[', '[]', '[ ]', '[,]', '[1', '[1,]', '[1,,2]', '[1 2]', '[1]]', '[1]x', '1,2', '{1,2}',
    '[a]', '[1e]', '[NaN]', '[inf]', '[1,-infinity]'
]) AS input;

-- Every finite half survives text and binary: 2 signs, 31 exponents, 1024 mantissas
SELECT count(*) AS count, bool_and(halfvec_send(h::text::halfvec) = halfvec_send(h)) AS same_bits,
       bool_and(h::vector::halfvec::text = h::text) AS same_through_vector
FROM (
    SELECT array_agg(sign * (CASE WHEN e = 0
        THEN m * 2.0 ^ -24 ELSE (1024 + m) * 2.0 ^ (e - 25) END)
                     ORDER BY m)::halfvec AS h
    FROM unnest(ARRAY[1.0, -1.0]) AS sign, generate_series(0, 30) AS e, generate_series(0,
        1023) AS m
    GROUP BY sign, e
) AS all_halves;

-- Type modifiers
SELECT pg_temp.attempt('SELECT ''[1,2,3]''::halfvec(3)') AS fits,
       pg_temp.attempt('SELECT ''[1,2,3]''::halfvec(2)') AS too_long;
SELECT modifier, pg_temp.attempt(format('SELECT NULL::halfvec(%s)', modifier)) AS result
FROM unnest(ARRAY['1', '16000', '0', '-1', '16001', '1,2', '''x''']) AS modifier;
CREATE TABLE type_halfvec (fixed halfvec(3), free halfvec, list halfvec(2)[]);
SELECT attname, format_type(atttypid, atttypmod), attstorage
FROM pg_attribute WHERE attrelid = 'type_halfvec'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO type_halfvec VALUES ('[1,2,3]', '[1]', '{"[1,2]","[3,4]"}'), (NULL, NULL, NULL);
INSERT INTO type_halfvec (fixed) VALUES ('[1,2]');
SELECT * FROM type_halfvec;
DROP TABLE type_halfvec;

-- Layout: 4 bytes of header, 2 of dimensions, 2 reserved, 2 per element
SELECT pg_column_size('[1,2,3]'::halfvec) AS bytes, halfvec_send('[1,-2,0.5]') AS message;

-- The largest halfvec, in and out of TOAST
CREATE TABLE type_halfvec_large AS
    SELECT array_agg(i % 2048)::halfvec(16000) AS v FROM generate_series(1, 16000) AS i;
SELECT vector_dims(v), subvector(v, 15998, 3), v = v::text::halfvec AS same, pg_column_size(v)
FROM type_halfvec_large;
SELECT pg_temp.attempt(format('SELECT vector_dims(%L::halfvec)', '[' || repeat('0,',
    16000) || '0]')) AS beyond,
       pg_temp.attempt('SELECT v || ''[1]'' FROM type_halfvec_large') AS concatenated;
DROP TABLE type_halfvec_large;

-- Arithmetic
SELECT '[1,2,3]'::halfvec + '[4,5,6]' AS sum, '[1,2,3]'::halfvec - '[4,5,6]' AS difference,
       '[1,2,3]'::halfvec * '[4,5,-6]' AS product, '[1,2]'::halfvec || '[3]' AS concatenated;
SELECT statement, pg_temp.attempt('SELECT ' || statement) AS result
FROM unnest(ARRAY[
    '''[65504]''::halfvec + ''[15]''', '''[65504]''::halfvec + ''[16]''',
    '''[-65504]''::halfvec - ''[65504]''', '''[256]''::halfvec * ''[256]''',
    '''[6e-8]''::halfvec * ''[0.25]''', '''[6e-8]''::halfvec * ''[0.75]''',
    '''[0]''::halfvec * ''[-6e-8]''', '''[2048]''::halfvec + ''[1]''',
    '''[1,2]''::halfvec + ''[3]'''
]) AS statement;

-- Functions
SELECT l2_norm('[3,4]'::halfvec), l2_norm('[0,0]'::halfvec) AS zero,
       l2_norm(array_fill(60000, ARRAY[16000])::halfvec)::real AS long;
SELECT l2_normalize('[3,4]'::halfvec), l2_normalize('[0,0]'::halfvec) AS zero,
       l2_normalize('[65504,0]'::halfvec) AS large, l2_normalize('[0,6e-8]'::halfvec) AS subnormal;
SELECT binary_quantize('[1,0,-1,-0,6e-8,-6e-8,2,3,4]'::halfvec);
SELECT start, count, pg_temp.attempt(format('SELECT subvector(''[1,2,3,4,5]''::halfvec, %s, %s)',
    start, count))
FROM unnest(ARRAY[-2147483648, 0, 2, 6, 2147483647]) AS start,
     unnest(ARRAY[-2147483648, 0, 2, 2147483647]) AS count
ORDER BY 1, 2;

-- Text input and output, type modifiers and functions of vector.
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

-- Spellings of numbers and white space
SELECT input, pg_temp.attempt(format('SELECT %L::vector', input)) AS result
FROM unnest(ARRAY[
    '[1,2,3]', '[-1.5,+2.25,.5,5.]', E' \t\n\r\x0b\f[ 1 ,\t2\n] ', '[1e3,1E-3,1e+03]',
    '[0x10,0x1p-3]', '[0,-0,0.0,-0.0]', '[00012,0.10000000000000000000000001]',
    '[16777217,16777219]', '[0.1,0.2,0.3]'
]) AS input;

-- The ends of the range: underflow rounds as strtof does, overflow is refused
SELECT input, pg_temp.attempt(format('SELECT %L::vector', input)) AS result
FROM unnest(ARRAY[
    '[3.4028235e38,-3.4028235e38]', '[3.4028236e38]', '[-1e39]', '[1e400]',
    '[1.1754944e-38,1.1754942e-38]', '[1e-45,-1e-45]', '[7e-46,-7e-46]', '[1e-400]'
]) AS input;

-- What is not a vector
SELECT input, pg_temp.attempt(format('SELECT %L::vector', input)) AS result
FROM unnest(ARRAY[
    '', ' ', '[', '[ ', ']', '[]', '[ ]', '[,]', '[1', '[1,', '[1,]', '[,1]', '[1,,2]', '[1 2]',
    '[1]]', '[1] [2]', '[1]x', '1,2', '{1,2}', '[a]', '[1a]', '[1e]', '[1e+]', '[-]', '[--1]',
    '[0x]', '[1_000]', '[NaN]', '[-nan]', '[nan(1)]', '[inf]', '[1,Infinity]', '[1,-infinity]',
    '[null]'
]) AS input;

-- What is written is read back as the same bits
SELECT count(*) AS count, bool_and(v::text::vector::text = v::text) AS same_text,
       bool_and(vector_send(v::text::vector) = vector_send(v)) AS same_bits
FROM (
    SELECT ARRAY[(i * 0.37)::real, (exp(i / 7.0) * 1e-20)::real,
        (-exp(-i / 3.0))::real]::vector AS v
    FROM generate_series(1, 250) AS i
) AS samples;

-- Type modifiers
SELECT pg_temp.attempt('SELECT ''[1,2,3]''::vector(3)') AS fits,
       pg_temp.attempt('SELECT ''[1,2,3]''::vector(2)') AS too_long,
       pg_temp.attempt('SELECT ''[1,2,3]''::vector(4)') AS too_short;
SELECT modifier, pg_temp.attempt(format('SELECT NULL::vector(%s)', modifier)) AS result
FROM unnest(ARRAY['1', '16000', '0', '-1', '16001', '2147483647', '1,2', '''x''']) AS modifier;
CREATE TABLE type_vector (fixed vector(3), free vector, list vector(2)[]);
SELECT attname, format_type(atttypid, atttypmod), attstorage
FROM pg_attribute WHERE attrelid = 'type_vector'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO type_vector VALUES ('[1,2,3]', '[1]', '{"[1,2]","[3,4]"}'), (NULL, NULL, NULL);
INSERT INTO type_vector (fixed) VALUES ('[1,2]');
INSERT INTO type_vector (list) VALUES ('{"[1]"}');
SELECT * FROM type_vector;

-- Layout: 4 bytes of header, 2 of dimensions, 2 reserved, 4 per element
SELECT pg_column_size('[1,2,3]'::vector) AS bytes, vector_send('[1,-2,0.5]') AS message;
DROP TABLE type_vector;

-- The largest vector, in and out of TOAST
CREATE TABLE type_vector_large AS
    SELECT array_agg(i)::vector(16000) AS v FROM generate_series(1, 16000) AS i;
SELECT vector_dims(v), subvector(v, 15998, 3), vector_dims(v::text::vector),
       v = v::text::vector AS same, pg_column_size(v)
FROM type_vector_large;
SELECT pg_temp.attempt(format('SELECT vector_dims(%L::vector)', '[' || repeat('0,',
    15999) || '0]')) AS at_limit,
       pg_temp.attempt(format('SELECT vector_dims(%L::vector)', '[' || repeat('0,',
       16000) || '0]')) AS beyond;
SELECT pg_temp.attempt('SELECT v || ''[1]'' FROM type_vector_large') AS concatenated;
DROP TABLE type_vector_large;

-- Arithmetic
SELECT '[1,2,3]'::vector + '[4,5,6]' AS sum, '[1,2,3]'::vector - '[4,5,6]' AS difference,
       '[1,2,3]'::vector * '[4,5,-6]' AS product, '[1,2]'::vector || '[3]' AS concatenated;
SELECT statement, pg_temp.attempt('SELECT ' || statement) AS result
FROM unnest(ARRAY[
    '''[3e38]''::vector + ''[1e38]''', '''[-3e38]''::vector - ''[1e38]''',
    '''[1e20]''::vector * ''[1e20]''', '''[1e-30]''::vector * ''[1e-30]''',
    '''[1e-20]''::vector * ''[1e-20]''', '''[0]''::vector * ''[-1e-45]''',
    '''[3.4028235e38]''::vector - ''[3.4028235e38]''', '''[1,2]''::vector + ''[3]'''
]) AS statement;

-- Norm and normalization, where float squares would overflow or vanish
SELECT vector_norm('[3,4]'), vector_norm('[0,0]'), vector_norm('[3e38,4e37]')::real AS large,
       vector_norm('[3e-45,4e-45]')::real AS subnormal,
       vector_norm(array_fill(2, ARRAY[16000])::vector)::real AS long;
SELECT l2_normalize('[3,4]'::vector), l2_normalize('[0,-0]'::vector) AS zero,
       l2_normalize('[3e38,0]'::vector) AS large, l2_normalize('[0,1e-45]'::vector) AS subnormal;
SELECT dims, vector_norm(l2_normalize(v))::numeric(8, 6) AS norm
FROM unnest(ARRAY[1, 7, 8, 9, 100]) AS dims,
     LATERAL (SELECT array_agg(sin(i))::vector AS v FROM generate_series(1, dims) AS i) AS sample;

-- Signs as bits
SELECT binary_quantize('[1,0,-1,-0,1e-45,-1e-45,2,3,4]'::vector), binary_quantize('[1]'::vector),
       length(binary_quantize(array_fill(1, ARRAY[16000])::vector)) AS bits;

-- Ranges of elements, clamped like substring's
SELECT start, count, pg_temp.attempt(format('SELECT subvector(''[1,2,3,4,5]''::vector, %s, %s)',
    start, count))
FROM unnest(ARRAY[-2147483648, -1, 0, 1, 3, 5, 6, 2147483647]) AS start,
     unnest(ARRAY[-2147483648, -1, 0, 1, 3, 2147483647]) AS count
ORDER BY 1, 2;

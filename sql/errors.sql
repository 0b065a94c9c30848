-- Values damaged on disk: a datum whose length does not fit its dimensions must be noticed before
-- it is read. A binary-coercible cast from bytea makes such values: two bytes of dimensions, two
-- reserved bytes, elements. 0x0101 is 257 dimensions in either byte order.
CREATE CAST (bytea AS vector) WITHOUT FUNCTION;
CREATE CAST (bytea AS halfvec) WITHOUT FUNCTION;
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
SELECT type, length,
    pg_temp.attempt(format('SELECT vector_dims((%L || repeat(''00'', %s))::bytea::%s)',
                                            '\x01010000', length, type)) AS result
FROM unnest(ARRAY['vector', 'halfvec']) AS type,
     unnest(ARRAY[0, 1, 513, 514, 515, 1027, 1028, 1029, 100000]) AS length
ORDER BY type DESC, length;
SELECT bytes, type, pg_temp.attempt(format('SELECT %L::bytea::%s', bytes, type)) AS result
FROM unnest(ARRAY['\x', '\x01', '\x0101', '\x00000000', '\x000000000000803f', '\xffff0000',
    '\xffffffffffffffff']) AS bytes,
     unnest(ARRAY['vector', 'halfvec']) AS type
ORDER BY type DESC, bytes COLLATE "C";

-- Every function of the extension that takes a vector or halfvec, in each of its arguments
CREATE TABLE errors_functions AS
    SELECT oid, oid::regprocedure::text AS function, proname,
        ARRAY(SELECT unnest(proargtypes)::regtype::text) AS types
    FROM pg_proc
    WHERE prokind = 'f'
      AND EXISTS (SELECT FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid
                  WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                    AND extname = 'vector_ann')
      AND proargtypes::oid[] && ARRAY['vector', 'halfvec']::regtype[]::oid[]
      AND proargtypes::oid[] <@ ARRAY['vector', 'halfvec', 'integer', 'boolean',
          'double precision[]']::regtype[]::oid[];
CREATE TABLE errors_calls AS
    SELECT function, argument,
           format('SELECT %I(%s)', proname, string_agg(
               CASE WHEN n = argument THEN format('''\x0101000000000000''::bytea::%s', type)
                    WHEN type IN ('vector', 'halfvec') THEN format('''[1]''::%s', type)
                    WHEN type = 'double precision[]' THEN '''{0}''::float8[]'
                    WHEN type = 'boolean' THEN 'false'
                    WHEN type = 'integer' THEN '1' END, ', ' ORDER BY n)) AS call
    FROM errors_functions, generate_subscripts(types, 1) AS argument,
         LATERAL unnest(types) WITH ORDINALITY AS list (type, n)
    WHERE types[argument] IN ('vector', 'halfvec')
    GROUP BY function, proname, argument;
SELECT count(*) >= 80 AS all_functions FROM errors_calls;
SELECT function, argument, result
FROM errors_calls, pg_temp.attempt(call) AS result
WHERE result !~ '^XX001 (vector|halfvec) value is corrupt' ORDER BY function, argument;
DROP TABLE errors_functions, errors_calls;
DROP CAST (bytea AS vector);
DROP CAST (bytea AS halfvec);

-- Where an error stands in a statement, and which rows stay
CREATE TABLE errors (v vector(2));
INSERT INTO errors VALUES ('[1,2]'), ('[1,2,3]');
INSERT INTO errors VALUES ('[1,2]'), ('[1,x]');
INSERT INTO errors SELECT ARRAY[1, 'NaN'::real];
UPDATE errors SET v = v || '[3]';
COPY errors FROM stdin;
[1,2]
[1,2,3]
\.
SELECT count(*) FROM errors;
SELECT '[1,2,3]'::vector <-> '[1,2]';
DROP TABLE errors;

-- Binary input and output, with messages that lie. A message is int16 dims, int16 zero, elements.
-- Wraps a message into a binary COPY file of one row and one column, hands it to the server as the
-- output of printf, and returns the value read, or the error.
CREATE FUNCTION pg_temp.receive(type text, message bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    file bytea := '\x5047434f50590aff0d0a00' || '\x0000000000000000'::bytea || '\x0001'::bytea
        || int4send(length(message)) || message || '\xffff'::bytea;
    escaped text;
    result text;
BEGIN
    SELECT string_agg('\' || lpad((get_byte(file, i) / 64 * 100 + get_byte(file, i) / 8 % 8 * 10
                                   + get_byte(file, i) % 8)::text, 3, '0'), '' ORDER BY i)
    INTO escaped FROM generate_series(0, length(file) - 1) AS i;
    EXECUTE format('CREATE TEMPORARY TABLE received (value %s)', type);
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('printf ''%s''',
        escaped));
    EXECUTE 'SELECT value::text FROM received' INTO result;
    DROP TABLE received;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;

SELECT pg_temp.receive('vector', '\x000200003f800000c0000000') AS vector,
       pg_temp.receive('halfvec', '\x000200003c00c000') AS halfvec;

-- Dimensions that do not fit the type, the modifier or the bytes that follow
SELECT type, dims, pg_temp.receive(type,
    int2send(dims::int2) || '\x0000'::bytea || '\x3c003c003c003c00') AS result
FROM unnest(ARRAY['vector', 'vector(2)', 'halfvec', 'halfvec(4)']) AS type,
     unnest(ARRAY[-32768, -1, 0, 1, 2, 3, 4, 5, 16000, 16001, 32767]) AS dims
ORDER BY type COLLATE "C" DESC, dims;

-- Cut off after every byte, and with bytes to spare
SELECT length, pg_temp.receive('vector', substr('\x000200003f8000003f80000000'::bytea, 1,
    length)) AS vector,
       pg_temp.receive('halfvec', substr('\x000400003c003c003c003c0000'::bytea, 1,
       length)) AS halfvec
FROM generate_series(0, 13) AS length;

-- Reserved field, NaN, infinity, subnormals, minus zero
SELECT message, pg_temp.receive('vector', message) AS vector
FROM unnest(ARRAY['\x000100013f800000', '\x0001ffff3f800000', '\x000100007fc00000',
    '\x00010000ffc00001',
                  '\x000100007f800001', '\x000100007f800000', '\x00010000ff800000',
                  '\x0001000000000001',
                  '\x0001000080000000', '\x000100007f7fffff']::bytea[]) AS message;
SELECT message, pg_temp.receive('halfvec', message) AS halfvec
FROM unnest(ARRAY['\x000100013c00', '\x000100007e00', '\x00010000fe01', '\x000100007c01',
    '\x000100007c00',
                  '\x00010000fc00', '\x000100000001', '\x000100008000',
                  '\x000100007bff']::bytea[]) AS message;

-- Every single-bit error in a message gives a value or an error, and the value is a valid vector
SELECT type, count(*) AS messages,
       count(*) FILTER (WHERE result ~ '^\[[-+e.,0-9]+\]$') AS valid,
       count(*) FILTER (WHERE result ~ 'NaN not allowed|infinite value not allowed') AS not_finite,
       count(*) FILTER (WHERE result ~ 'must have at least 1|cannot have more than') AS dimensions,
       count(*) FILTER (WHERE result ~ 'insufficient data|incorrect binary data format') AS size,
       count(*) FILTER (WHERE result ~ 'expected unused to be 0') AS reserved
FROM (VALUES ('vector', '\x000300007f7fffff3f80000100000001'::bytea),
             ('halfvec', '\x000300007bff3c01fbff')) AS sample (type, message),
     generate_series(0, length(message) * 8 - 1) AS position,
     pg_temp.receive(type, set_bit(message, position, 1 - get_bit(message, position))) AS result
GROUP BY type ORDER BY type DESC;

-- Round trips through a file, inline and out of line
CREATE TABLE copy_binary AS
    SELECT i AS id, v, (v * array_fill(0.01, ARRAY[vector_dims(v)])::vector)::halfvec AS h
    FROM unnest(ARRAY[1, 2, 3, 100, 2000, 16000]) AS i,
         LATERAL (SELECT array_agg(sin(j) * 1000)::vector AS v FROM generate_series(1,
         i) AS j) AS sample;
INSERT INTO copy_binary VALUES (0, NULL, NULL);
CREATE TABLE copy_binary_read (LIKE copy_binary);
DO $$
DECLARE
    file text := current_setting('data_directory') || '/vector_ann_copy_binary';
BEGIN
    EXECUTE format('COPY copy_binary TO %L (FORMAT binary)', file);
    EXECUTE format('COPY copy_binary_read FROM PROGRAM %L (FORMAT binary)',
        format('cat %1$s; rm %1$s', quote_literal(file)));
END
$$;
SELECT count(*) AS rows, count(a.v) AS vectors, bool_and(a.v = b.v) AS same_vectors,
       bool_and(a.h = b.h) AS same_halfvecs
FROM copy_binary AS a JOIN copy_binary_read AS b USING (id);
DROP TABLE copy_binary, copy_binary_read;

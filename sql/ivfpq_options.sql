-- Options of an index and settings of a session: ranges, messages, effect.
CREATE TABLE items (id int, v vector(30));
INSERT INTO items SELECT i, array_agg(sin(i * d * 0.618) + d)::vector FROM generate_series(1, 500) AS i,
    generate_series(1, 30) AS d GROUP BY i ORDER BY i;

-- Out of range, unknown, contradictory
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (lists = -1);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (lists = 1048577);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (lists = 'x');
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (codec = 'flat');
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (subvectors = 8);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (codec = pq, subvectors = 31);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (codec = pq, subvectors = 16001);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (code_bits = 8);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (codec = pq, code_bits = 5);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (codec = pq, code_bits = 16);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (rotation = 'left');
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (rotation = opq);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (refine_bits = 3);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (refine_bits = 9);
CREATE INDEX ON items USING ivfpq (v vector_l2_ops) WITH (m = 16);
SELECT count(*) FROM pg_index WHERE indrelid = 'items'::regclass;

-- What they do
CREATE FUNCTION attempt(options text) RETURNS TABLE (lists bigint, codec text, subvectors int, code_bits int,
    rotation text, refine_bits int, rows bigint, different bigint, flaws bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops) %s', options);
    SELECT m.lists, m.codec, m.subvectors, m.code_bits, m.rotation, m.refine_bits
    INTO lists, codec, subvectors, code_bits, rotation, refine_bits FROM ivfpq_meta('items_v') AS m;
    SET LOCAL enable_seqscan = off;
    SELECT count(*), count(DISTINCT id) INTO rows, different
    FROM (SELECT id FROM items ORDER BY v <-> array_fill(1, ARRAY[30])::vector LIMIT 1000) AS nearest;
    SELECT count(*) INTO flaws FROM ivfpq_check('items_v');
    DROP INDEX items_v;
    RETURN NEXT;
END
$$;
SELECT options, a.* FROM unnest(ARRAY['', 'WITH (lists = 1)', 'WITH (lists = 7)', 'WITH (codec = rabitq)',
    'WITH (codec = pq)', 'WITH (codec = pq, subvectors = 30)', 'WITH (codec = pq, subvectors = 7)',
    'WITH (codec = pq, code_bits = 8)', 'WITH (codec = pq, code_bits = 8, subvectors = 2)',
    'WITH (rotation = none)', 'WITH (rotation = random)',
    'WITH (codec = pq, rotation = opq)', 'WITH (refine_bits = 4)', 'WITH (refine_bits = 8)']) AS options,
    LATERAL attempt(options) AS a;

-- A changed option is checked at once, and holds from the next REINDEX on
CREATE INDEX items_v ON items USING ivfpq (v vector_l2_ops) WITH (lists = 5);
ALTER INDEX items_v SET (lists = 2000000);
ALTER INDEX items_v SET (codec = 'flat');
ALTER INDEX items_v SET (lists = 9, codec = pq);
SELECT lists, codec FROM ivfpq_meta('items_v');
INSERT INTO items SELECT 501, v FROM items WHERE id = 1;
SELECT * FROM ivfpq_check('items_v');
REINDEX INDEX items_v;
SELECT lists, codec FROM ivfpq_meta('items_v');
ALTER INDEX items_v SET (codec = rabitq, subvectors = 4);
REINDEX INDEX items_v;
ALTER INDEX items_v RESET (subvectors, codec, lists);
REINDEX INDEX items_v;
SELECT codec, subvectors FROM ivfpq_meta('items_v');
SELECT * FROM ivfpq_check('items_v');
SELECT rows FROM ivfpq_stats('items_v');
SELECT sum(l.rows) AS rows, sum(share_moved) AS moved, bool_and(residual_ratio BETWEEN 0.5 AND 2) AS as_written,
    count(DISTINCT list) = (SELECT lists FROM ivfpq_meta('items_v')) AS all_lists
FROM ivfpq_lists('items_v') AS l;

-- ivfpq.* and pgvector's names
SELECT name, setting, min_val, max_val, enumvals, context FROM pg_settings
WHERE name LIKE 'ivfpq.%' OR name LIKE 'ivfflat.%' ORDER BY name;
SET ivfpq.probes = -1;
SET ivfpq.probes = 1048577;
SET ivfpq.probes = 1;
SHOW ivfpq.probes;
RESET ivfpq.probes;
SET ivfpq.max_probes = -1;
SET ivfpq.iterative_scan = on;
SET ivfpq.iterative_scan = 'relaxed_order';
SET ivfflat.probes = -1;
SET ivfflat.iterative_scan = 'strict';
SET ivfpq.unknown = 1;
SET ivfflat.unknown = 1;
RESET ALL;

-- What the access method says of itself
SELECT amname, pg_index_column_has_property('items_v'::regclass, 1, 'distance_orderable') AS ordered,
    pg_index_column_has_property('items_v'::regclass, 1, 'orderable') AS sorted,
    pg_index_column_has_property('items_v'::regclass, 1, 'returnable') AS returned,
    pg_index_has_property('items_v'::regclass, 'index_scan') AS plain,
    pg_index_has_property('items_v'::regclass, 'bitmap_scan') AS bitmap,
    pg_index_has_property('items_v'::regclass, 'backward_scan') AS backward,
    pg_indexam_has_property(oid, 'can_unique') AS uniq,
    pg_indexam_has_property(oid, 'can_multi_col') AS several,
    pg_indexam_has_property(oid, 'can_exclude') AS exclude,
    pg_indexam_has_property(oid, 'can_include') AS include
FROM pg_am WHERE amname IN ('ivfpq', 'ivfflat') ORDER BY amname;
DROP TABLE items;
DROP FUNCTION attempt;

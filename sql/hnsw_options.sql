-- Options of an index and settings of a session: ranges, messages, effect.
CREATE TABLE items (id int, v vector(3));
INSERT INTO items SELECT i, ARRAY[i, i % 5, 1]::vector FROM generate_series(1, 100) AS i;

-- m and ef_construction
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (m = 1);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (m = 101);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (m = 'x');
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (ef_construction = 3);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (ef_construction = 1001);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31);
CREATE INDEX ON items USING hnsw (v vector_l2_ops) WITH (lists = 10);
CREATE INDEX items_small ON items USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
CREATE INDEX items_large ON items USING hnsw (v vector_ip_ops) WITH (m = 100, ef_construction = 1000);
CREATE INDEX items_default ON items USING hnsw (v vector_cosine_ops);
SELECT relname, m, ef_construction, degree, reloptions FROM pg_class, hnsw_meta(oid)
WHERE relname LIKE 'items\_%' ORDER BY relname;
SET enable_seqscan = off;
SELECT count(DISTINCT id) FROM (SELECT id FROM items ORDER BY v <-> '[3,3,3]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT id FROM items ORDER BY v <#> '[3,3,3]' LIMIT 100) AS nearest;
SELECT count(DISTINCT id) FROM (SELECT id FROM items ORDER BY v <=> '[3,3,3]' LIMIT 100) AS nearest;
SELECT * FROM hnsw_check('items_small');
SELECT * FROM hnsw_check('items_large');

-- A changed option is checked at once and holds for later inserts; m holds from the next REINDEX on
ALTER INDEX items_default SET (ef_construction = 2000);
ALTER INDEX items_default SET (ef_construction = 200);
INSERT INTO items VALUES (101, '[7,7,7]');
SELECT id FROM items ORDER BY v <-> '[7,7,7]' LIMIT 1;
ALTER INDEX items_default SET (m = 40);
SELECT m, degree FROM hnsw_meta('items_default');
REINDEX INDEX items_default;
SELECT m, ef_construction, degree FROM hnsw_meta('items_default');
ALTER INDEX items_default RESET (ef_construction);
REINDEX INDEX items_default;
ALTER INDEX items_default RESET (m);
REINDEX INDEX items_default;
SELECT m, ef_construction, degree FROM hnsw_meta('items_default');
SELECT * FROM hnsw_check('items_default');

-- hnsw.*
SELECT name, setting, min_val, max_val, enumvals, context FROM pg_settings WHERE name LIKE 'hnsw.%'
ORDER BY name;
SET hnsw.ef_search = 0;
SET hnsw.ef_search = 1001;
SET hnsw.ef_search = 1;
SET hnsw.ef_search = 1000;
SHOW hnsw.ef_search;
RESET hnsw.ef_search;
SET hnsw.iterative_scan = on;
SET hnsw.iterative_scan = 'relaxed_order';
SET hnsw.max_scan_tuples = 0;
SET hnsw.max_scan_tuples = 1;
SET hnsw.scan_mem_multiplier = 0.9;
SET hnsw.scan_mem_multiplier = 1001;
SET hnsw.scan_mem_multiplier = 2;
SET hnsw.unknown = 1;
RESET ALL;

-- What the access method says of itself
SELECT pg_index_column_has_property('items_default'::regclass, 1, 'distance_orderable') AS ordered,
    pg_index_column_has_property('items_default'::regclass, 1, 'orderable') AS sorted,
    pg_index_column_has_property('items_default'::regclass, 1, 'returnable') AS returned,
    pg_index_has_property('items_default'::regclass, 'index_scan') AS plain,
    pg_index_has_property('items_default'::regclass, 'bitmap_scan') AS bitmap,
    pg_index_has_property('items_default'::regclass, 'backward_scan') AS backward,
    pg_indexam_has_property(oid, 'can_unique') AS uniq,
    pg_indexam_has_property(oid, 'can_multi_col') AS several,
    pg_indexam_has_property(oid, 'can_exclude') AS exclude,
    pg_indexam_has_property(oid, 'can_include') AS include
FROM pg_am WHERE amname = 'hnsw';
DROP TABLE items;

-- What pgvector's documentation says of ivfflat works as it is written there.
CREATE TABLE items (id bigserial PRIMARY KEY, embedding vector(3), half halfvec(3), category_id int);
INSERT INTO items (embedding, half, category_id) SELECT v, v::halfvec, i % 10 FROM
    (SELECT i, ARRAY[sin(i), cos(i * 1.3), i / 1000.0]::vector AS v FROM generate_series(1, 2000) AS i) AS s;
CREATE INDEX ON items USING ivfflat (embedding vector_l2_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat (embedding vector_ip_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat (half halfvec_l2_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat (half halfvec_ip_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat (half halfvec_cosine_ops) WITH (lists = 100);
CREATE INDEX ON items USING ivfflat ((embedding::halfvec(3)) halfvec_l2_ops) WITH (lists = 100);
-- L2 distance is vector's default operator class here, as there, and halfvec has none
CREATE INDEX items_default ON items USING ivfflat (embedding) WITH (lists = 100);
SELECT opcname FROM pg_index JOIN pg_opclass AS o ON o.oid = indclass[0] WHERE indexrelid = 'items_default'::regclass;
CREATE INDEX ON items USING ivfflat (half);
CREATE INDEX CONCURRENTLY items_concurrent ON items USING ivfflat (embedding vector_l2_ops) WITH (lists = 10);
SELECT indexdef FROM pg_indexes WHERE tablename = 'items' AND indexname LIKE 'items\_%idx%' ORDER BY indexname;
SELECT count(*) FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam, ivfpq_check(c.oid) WHERE amname = 'ivfflat';

-- Queries
SET enable_seqscan = off;
SET ivfflat.probes = 10;
EXPLAIN (COSTS OFF) SELECT * FROM items ORDER BY embedding <=> '[3,1,2]' LIMIT 5;
SELECT count(DISTINCT id) FROM (SELECT id FROM items ORDER BY embedding <-> '[0.1,0.2,0.3]' LIMIT 5) AS nearest;
BEGIN;
SET LOCAL ivfflat.probes = 100;
SELECT array_agg(id) = ARRAY(SELECT id FROM items ORDER BY (embedding <-> '[0.1,0.2,0.3]') + 0 LIMIT 5) AS equal FROM
    (SELECT id FROM items ORDER BY embedding <-> '[0.1,0.2,0.3]' LIMIT 5) AS nearest;
COMMIT;
SET ivfflat.iterative_scan = relaxed_order;
SELECT count(*) FROM (SELECT * FROM items WHERE category_id = 7 ORDER BY embedding <-> '[3,1,2]' LIMIT 150) AS n;
SET ivfflat.max_probes = 20;
SELECT count(*) < 2000 AS bounded FROM (SELECT * FROM items ORDER BY embedding <#> '[3,1,2]' LIMIT 2000) AS n;
RESET ivfflat.max_probes;
WITH relaxed_results AS MATERIALIZED (
    SELECT id, embedding <-> '[1,2,3]' AS distance FROM items WHERE category_id = 3 ORDER BY distance LIMIT 5
) SELECT count(*) FROM relaxed_results;
WITH nearest_results AS MATERIALIZED (
    SELECT id, embedding <-> '[1,2,3]' AS distance FROM items ORDER BY distance LIMIT 50
) SELECT count(*) > 0 AS some, count(*) < 50 AS fewer FROM nearest_results WHERE distance < 2.2;
SELECT * FROM items WHERE id <> 1 AND embedding <-> (SELECT embedding FROM items WHERE id = 1) < 0
ORDER BY embedding <-> (SELECT embedding FROM items WHERE id = 1) LIMIT 5;

-- One access method under two names: its functions take either
SELECT codec, lists, dimensions FROM ivfpq_meta('items_default');
SELECT rows FROM ivfpq_stats('items_default');
DROP TABLE items;

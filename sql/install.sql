-- Installation: beside pgvector it is refused, and any schema will do.
SELECT current_database() AS home \gset
CREATE DATABASE vector_ann_install TEMPLATE template0;
\c vector_ann_install
\set SHOW_CONTEXT never
-- The name of pgvector's extension, without the extension itself
BEGIN;
SET LOCAL allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (16000, 'vector', 10, 'public'::regnamespace, true, '0.8.6');
CREATE EXTENSION vector_ann;
ROLLBACK;
SELECT count(*) AS left_behind FROM pg_type WHERE typname IN ('vector', 'halfvec');

CREATE SCHEMA ann;
CREATE SCHEMA moved;
CREATE EXTENSION vector_ann SCHEMA ann;
SELECT '[1,2]'::ann.vector OPERATOR(ann.<->) '[4,6]' AS distance, ann.l2_norm('[3,4]'::ann.halfvec);
CREATE TABLE installed (v ann.vector(2), h ann.halfvec(2));
INSERT INTO installed VALUES (ARRAY[3, 4], ARRAY[5, 6]);
SELECT ann.avg(v) AS v, ann.sum(h) AS h FROM installed;
ALTER EXTENSION vector_ann SET SCHEMA moved;
SELECT v OPERATOR(moved.<=>) v AS cosine, h::moved.vector AS widened, moved.avg(v) OVER ()
    FROM installed;
EXPLAIN (COSTS OFF) SELECT v FROM installed ORDER BY v OPERATOR(moved.<->) '[1,1]';
DROP EXTENSION vector_ann;
DROP TABLE installed;
DROP EXTENSION vector_ann;
SELECT count(*) AS left_behind FROM pg_type WHERE typname IN ('vector', 'halfvec');
\c :home
DROP DATABASE vector_ann_install;

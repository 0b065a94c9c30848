-- The catalog entries of the extension: complete, consistent, and as pgvector's clients expect. The
-- checks follow opr_sanity of PostgreSQL's own tests.
CREATE VIEW catalog_functions AS
    SELECT pg_proc.* FROM pg_proc
    JOIN pg_depend ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
    JOIN pg_extension ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid
    WHERE extname = 'vector_ann';
CREATE VIEW catalog_operators AS
    SELECT pg_operator.* FROM pg_operator
    JOIN pg_depend ON classid = 'pg_operator'::regclass AND objid = pg_operator.oid
    JOIN pg_extension ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid
    WHERE extname = 'vector_ann';

-- Functions of vectors are pure, strict and usable by parallel workers
SELECT oid::regprocedure AS function FROM catalog_functions
WHERE ('vector'::regtype = ANY (proargtypes) OR 'halfvec'::regtype = ANY (proargtypes))
  AND prokind = 'f' AND (provolatile <> 'i' OR NOT proisstrict OR proparallel <> 's');
-- Each distance asks the same support function for its cost
SELECT oid::regprocedure AS function, prosupport FROM catalog_functions
WHERE prokind = 'f' AND prorettype = 'double precision'::regtype
  AND (oidvectortypes(proargtypes) LIKE '%vector, %vector'
      OR oidvectortypes(proargtypes) LIKE '%halfvec, %halfvec')
  AND prosupport <> 'vann_distance_support'::regproc;
-- One C function under two names has one set of properties
SELECT a.oid::regprocedure, b.oid::regprocedure FROM catalog_functions AS a
    JOIN catalog_functions AS b USING (prosrc)
WHERE a.oid < b.oid AND a.prolang = b.prolang AND a.prokind = 'f' AND b.prokind = 'f'
  AND (a.provolatile <> b.provolatile OR a.proisstrict <> b.proisstrict
      OR a.prorettype <> b.prorettype AND a.proargtypes = b.proargtypes);

-- Operators: properties, then every inconsistency of commutators and negators there could be
SELECT oid::regoperator AS operator, oprcode, oprcom::regoperator AS commutator,
    oprnegate::regoperator AS negator,
       oprrest, oprjoin
FROM catalog_operators ORDER BY oprleft::regtype::text DESC, oprname COLLATE "C";
SELECT a.oid::regoperator, b.oid::regoperator FROM catalog_operators AS a
    JOIN pg_operator AS b ON a.oprcom = b.oid
WHERE b.oprcom <> a.oid OR a.oprleft <> b.oprright OR a.oprright <> b.oprleft
    OR a.oprresult <> b.oprresult;
SELECT a.oid::regoperator, b.oid::regoperator FROM catalog_operators AS a
    JOIN pg_operator AS b ON a.oprnegate = b.oid
WHERE b.oprnegate <> a.oid OR a.oprleft <> b.oprleft OR a.oprright <> b.oprright OR a.oid = b.oid
    OR a.oprresult <> 'bool'::regtype;

-- btree operator classes
SELECT opcname, opcintype::regtype, opcdefault FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod
WHERE amname = 'btree' AND opcintype IN ('vector'::regtype, 'halfvec'::regtype)
    ORDER BY opcname DESC;
SELECT opcname, amvalidate(pg_opclass.oid) AS valid FROM pg_opclass
WHERE opcintype IN ('vector'::regtype, 'halfvec'::regtype) AND NOT amvalidate(pg_opclass.oid);

-- Aggregates
SELECT a.aggfnoid::regprocedure AS aggregate, a.aggtransfn, a.aggcombinefn, a.aggfinalfn,
    a.agginitval, f.proparallel
FROM pg_aggregate AS a JOIN catalog_functions AS f ON f.oid = a.aggfnoid::oid
    ORDER BY a.aggfnoid::regprocedure::text DESC;

-- Types, operators, operator classes, aggregates and the functions meant for users are described
SELECT typname, obj_description(oid, 'pg_type') AS description FROM pg_type
WHERE typname IN ('vector', 'halfvec') ORDER BY typname DESC;
SELECT oid::regoperator AS undescribed FROM catalog_operators WHERE obj_description(oid,
    'pg_operator') IS NULL;
SELECT opcname AS undescribed FROM pg_opclass
WHERE opcintype IN ('vector'::regtype, 'halfvec'::regtype) AND obj_description(oid,
    'pg_opclass') IS NULL;
SELECT oid::regprocedure AS undescribed FROM catalog_functions
WHERE obj_description(oid, 'pg_proc') IS NULL
  AND (prokind = 'a' OR proname IN ('l2_distance', 'inner_product', 'cosine_distance',
      'l1_distance', 'vector_dims',
       'vector_norm', 'l2_norm', 'l2_normalize', 'binary_quantize', 'subvector'));
DROP VIEW catalog_functions, catalog_operators;

// compat.hpp — what differs between PostgreSQL 15 and 18. No other file tests PG_VERSION_NUM.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "access/genam.h"
#include "access/relscan.h"
#include "catalog/pg_class.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/rel.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif
}

// Reports an input error: from PostgreSQL 16 on into the caller's ErrorSaveContext if it gave one
// (pg_input_is_valid, COPY ... ON_ERROR), in which case execution continues behind the macro;
// otherwise as an ERROR. The caller returns a dummy right after it.
#if PG_VERSION_NUM >= 160000
#define VANN_SAVE_ERROR(escontext, ...) errsave(escontext, __VA_ARGS__)
#else
#define VANN_SAVE_ERROR(escontext, ...) ereport(ERROR, __VA_ARGS__)
#endif

namespace vann::pg {

// Adds one page to the relation; returns its buffer, pinned and exclusively locked, all zeros.
inline Buffer extend_locked(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return ExtendBufferedRel(BMR_REL(relation), MAIN_FORKNUM, nullptr, EB_LOCK_FIRST);
#else
  const bool shared = !RELATION_IS_LOCAL(relation);
  if (shared) LockRelationForExtension(relation, ExclusiveLock);
  const Buffer buffer = ReadBuffer(relation, P_NEW);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  if (shared) UnlockRelationForExtension(relation, ExclusiveLock);
  return buffer;
#endif
}

// The number of blocks of the relation, of which none is being added: before release 16 a new page can be locked
// by others before extend_locked() locks it, but not before that lets go of the lock taken here. For whoever
// takes pages of zeros for free.
inline BlockNumber count_added_blocks(Relation relation) {
  const bool shared = !RELATION_IS_LOCAL(relation);
  if (shared) LockRelationForExtension(relation, ExclusiveLock);
  const BlockNumber blocks = RelationGetNumberOfBlocks(relation);
  if (shared) UnlockRelationForExtension(relation, ExclusiveLock);
  return blocks;
}

// Where the relation's files are.
inline auto &relation_locator(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return relation->rd_locator;
#else
  return relation->rd_node;
#endif
}

// Where VACUUM sleeps by its cost limit and can be cancelled. Call it without page locks.
inline void vacuum_delay() {
#if PG_VERSION_NUM >= 180000
  vacuum_delay_point(false);
#else
  vacuum_delay_point();
#endif
}

// Whether the current user owns the relation (or is a superuser).
inline bool owns_relation(Oid relation) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, relation, GetUserId());
#else
  return pg_class_ownercheck(relation, GetUserId());
#endif
}

// Before code of a relation's owner runs with the owner's rights; the caller has opened a GUC nest
// level. Earlier releases rely on SECURITY_RESTRICTED_OPERATION alone.
inline void restrict_search_path() {
#if PG_VERSION_NUM >= 170000
  RestrictSearchPath();
#endif
}

// Ranks a path behind those that enable_* settings disable. Since 18 the planner compares how many
// nodes of a path are disabled before it compares costs; earlier releases add to the costs alone.
inline void forbid_path(Path *path) {
#if PG_VERSION_NUM >= 180000
  path->disabled_nodes = 2;
#else
  (void)path;
#endif
}

// Counts one search of an index: for pg_stat_user_indexes and, since 18, EXPLAIN ANALYZE.
inline void count_index_search(IndexScanDesc scan) {
  pgstat_count_index_scan(scan->indexRelation);
#if PG_VERSION_NUM >= 180000
  if (scan->instrument != nullptr) ++scan->instrument->nsearches;
#endif
}

// Tells core that builds use workers. Since 17 an access method may; how many is its own choice.
inline void declare_parallel_build(IndexAmRoutine *routine) {
#if PG_VERSION_NUM >= 170000
  routine->amcanbuildparallel = true;
#else
  (void)routine;
#endif
}

inline IndexScanDesc begin_index_scan(Relation table, Relation index, Snapshot snapshot,
                                      int keys) {
#if PG_VERSION_NUM >= 180000
  return index_beginscan(table, index, snapshot, nullptr, keys, 0);
#else
  return index_beginscan(table, index, snapshot, keys, 0);
#endif
}

}  // namespace vann::pg

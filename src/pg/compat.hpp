// compat.hpp — what differs between PostgreSQL 15 and 18. No other file tests PG_VERSION_NUM.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
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

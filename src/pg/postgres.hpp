// postgres.hpp — the only door to PostgreSQL's headers. Standard headers come first: port.h redefines
// snprintf and friends as macros.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>  // its helpers name std::vsnprintf, which port.h would turn into something else

// PostgreSQL 15 leaves this empty outside Windows; everything else here is compiled hidden.
#ifndef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

extern "C" {
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
}

// SQL-callable function with C linkage and default visibility (everything else is hidden).
#define VANN_FUNCTION(name)                                       \
  extern "C" {                                                    \
  PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                       \
  PG_FUNCTION_INFO_V1(name);                                      \
  }                                                               \
  extern "C" Datum name(PG_FUNCTION_ARGS)

// handler.hpp — the access method's table of callbacks.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
}

namespace vann::ivfpq {

// Palloc's the routine that CREATE ACCESS METHOD's handler returns.
IndexAmRoutine *make_routine();

}  // namespace vann::ivfpq

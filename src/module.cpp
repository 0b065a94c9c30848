// module.cpp — what PostgreSQL sees when it loads the library: the magic block and _PG_init, which only
// registers: it may run in the postmaster, where threads and large allocations have no place.
#include "pg/postgres.hpp"

#include "am/common/plan.hpp"
#include "am/hnsw/options.hpp"
#include "am/ivfpq/options.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

extern "C" void _PG_init(void) {
  vann::hnsw::define_options();
  vann::ivfpq::define_options();
  vann::am::install_plan_hook();
}

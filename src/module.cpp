// module.cpp — what PostgreSQL sees when it loads the library: the magic block and _PG_init.
#include "pg/postgres.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

extern "C" void _PG_init(void) {}

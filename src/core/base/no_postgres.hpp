// no_postgres.hpp — tripwire: core code must not see PostgreSQL. Include it last in every core .cpp.
#ifdef POSTGRES_H
#error "postgres.h reached the core: src/core and gpu are PostgreSQL-free (see src/README.md)"
#endif

// validate.hpp — amvalidate.
#pragma once

#include "pg/postgres.hpp"

namespace vann::hnsw {

// Checks an operator class's definition; reports each flaw at INFO. True when there is none.
extern "C" bool hnsw_validate(Oid opclass);

}  // namespace vann::hnsw

// validate.hpp — amvalidate.
#pragma once

#include "pg/postgres.hpp"

namespace vann::am {

// Checks an operator class's definition; reports each flaw at INFO, with the access method's name. True
// when there is none.
bool validate_opclass(Oid opclass, const char *am_name);

}  // namespace vann::am

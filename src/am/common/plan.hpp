// plan.hpp — takes distances that nobody reads out of finished plans. See
// am/hnsw/README.md, "Plans".
#pragma once

#include "pg/postgres.hpp"

namespace vann::am {

// Installs the planner hook; called once from _PG_init.
void install_plan_hook();

}  // namespace vann::am

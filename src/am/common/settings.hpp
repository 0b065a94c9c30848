// settings.hpp — defining settings (GUCs) beside other libraries.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace vann::am {

// Another library of this session (pgvector) may have defined a setting of the same name already;
// defining it twice would be an error. Its values are then not ours to read: the default holds.
inline bool taken(const char *name) {
  const char *value = GetConfigOption(name, true, false);
  return value != nullptr && (GetConfigOptionFlags(name, true) & GUC_CUSTOM_PLACEHOLDER) == 0;
}

}  // namespace vann::am

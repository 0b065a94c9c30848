// property.cpp — see property.hpp.
#include "am/common/property.hpp"

namespace vann::am {

extern "C" bool nearest_property(Oid, int attribute, IndexAMProperty property, const char *,
                                 bool *result, bool *) {
  if (attribute != 1 || property != AMPROP_DISTANCE_ORDERABLE) return false;
  *result = true;
  return true;
}

}  // namespace vann::am

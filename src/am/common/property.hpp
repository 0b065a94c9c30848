// property.hpp — amproperty of this library's access methods.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
}

namespace vann::am {

// amproperty: distances order the first and only column. Every access method of this library has this
// one, by which the planner hook knows them.
extern "C" bool nearest_property(Oid index, int attribute, IndexAMProperty property,
                                 const char *name, bool *result, bool *isnull);

}  // namespace vann::am

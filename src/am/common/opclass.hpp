// opclass.hpp — what an operator class tells its access method: element type and metric. Support
// function 1 of every operator class returns a pointer to a static OperatorClass.
#pragma once

#include "pg/postgres.hpp"

#include "am/common/page_format.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace vann::am {

inline constexpr uint16 kDescribeProc = 1;

enum class ElementType : uint8_t { kVector, kHalfVector };

struct OperatorClass {
  Metric metric;
  ElementType type;
  const char *type_name;
};

// Of the index's first column.
const OperatorClass &operator_class_of(Relation index);

// The one of L2 for a type.
const OperatorClass &l2_operator_class(ElementType type);

// Converts an indexed datum to floats: `out` has room for `dims` values. ERROR when the value has
// other dimensions than `dims`.
void to_floats(const OperatorClass &opclass, Datum value, int dims, float *out);

// Scales a vector to length 1; `*zero` tells one that has no direction and is left alone.
void normalize(float *x, uint32_t dims, bool *zero);

// The typmod's dimensions of the index's column; ERROR when it has none or too many.
int indexed_dims(Relation index, const char *am_name);

}  // namespace vann::am

// inspect.hpp — opening an index for the SQL functions that look into it, and returning what they find.
#pragma once

#include "am/common/page_format.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "access/amapi.h"
#include "utils/rel.h"
}

namespace vann::am {

// An index and its table, both under AccessShareLock until close_inspected().
struct Inspected {
  Relation heap;
  Relation index;
};

// ERROR unless `oid` names an index of the access method whose ambulkdelete is `mark`, that the user
// owns and this session can read.
Inspected open_inspected(Oid oid, ambulkdelete_function mark, const char *am_name);
void close_inspected(const Inspected &inspected);

// The row that an SQL function with OUT parameters returns.
Datum one_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

const char *metric_name(Metric metric);

}  // namespace vann::am

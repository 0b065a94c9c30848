// organise.hpp — keeps lists at the length and the shape that the index's rows ask for. See ../README.md,
// "Maintenance".
#pragma once

#include "am/ivfpq/vacuum/cleanup.hpp"
#include "am/ivfpq/vacuum/survey.hpp"

namespace vann::ivfpq {

// Settles what an unfinished run left, trains codebooks if it is time, and splits, merges and refreshes
// lists until none needs it; adds what it did to `done`. Returns whether it stamped a transaction id.
// The work is bounded by what has changed: a list is due only after rows of the order of its own number
// have come, gone or drifted.
bool organise(const Index &index, BufferAccessStrategy strategy, Survey *survey,
              MemoryContext context, Maintained *done);

}  // namespace vann::ivfpq

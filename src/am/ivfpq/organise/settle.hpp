// settle.hpp — after a run that was cut short: rows that are in two lists are left in one.
#pragma once

#include "am/ivfpq/vacuum/survey.hpp"

namespace vann::ivfpq {

// Rows of pages that an unfinished run has marked are looked for in all other pages of live lists. Those
// that have a copy are marked as moved; then the marks go. Nothing is done where no page is marked. Takes
// 32 bytes per row of marked pages.
void settle(const Index &index, BufferAccessStrategy strategy, MemoryContext context,
            Survey *survey);

}  // namespace vann::ivfpq

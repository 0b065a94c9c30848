// recycle.hpp — gives back what nobody reads any more: chains, list records, pages. See ../README.md, "Delete
// and VACUUM".
#pragma once

#include "am/ivfpq/vacuum/survey.hpp"

namespace vann::ivfpq {

// Chains of retired lists whose time has come, and of lists that were never finished, become free pages;
// records without a chain that no block refers to become free slots. Puts pages that are free but that
// the map of free space may have forgotten back into it. Returns how many pages are free.
BlockNumber recycle(const Index &index, Relation heap, BufferAccessStrategy strategy,
                    Survey *survey);

// Names a list page with a free slot to make_list(), if one is known; to be called before each.
void offer_list_page(const Index &index, Survey *survey);

}  // namespace vann::ivfpq

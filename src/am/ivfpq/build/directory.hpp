// directory.hpp — list records and directory pages of a built index.
#pragma once

#include "am/ivfpq/build/page_plan.hpp"
#include "am/ivfpq/build/page_stream.hpp"

namespace vann::ivfpq {

// Appends the list pages and then the chains of the root and the cells, as the plan has them.
void write_directory(PageStream &out, const PagePlan &plan);

}  // namespace vann::ivfpq

// scan_error.hpp — how far the errors of scan codes go beyond what they state. Factors of codes take an
// error to be spread evenly over all directions, as a random rotation does. Learned rotations and codebooks
// leave it where rows vary, and so where queries lie.
#pragma once

#include <cstddef>

#include "core/quantize/list_code.hpp"

namespace vann::codebook {

// The ratio of the deviation that estimates have to the one they state, at least 1 and at most quantize::kMostErrorScale:
// what model.error_scale ought to be; the value it has is not used.
//   residuals  [rows][dims], rotated, those of a list together: each in turn is a query, and rows that
//              follow it are estimated. About 8,000 pairs of them are looked at, evenly spread.
// Without enough rows the result is 1. Throws std::bad_alloc.
float measure_error_scale(quantize::ListModel model, const float *residuals, size_t rows);

}  // namespace vann::codebook

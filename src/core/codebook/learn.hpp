// learn.hpp — everything that the scan codes of an index learn from residuals, in its order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel/team.hpp"
#include "core/quantize/list_code.hpp"

namespace vann::codebook {

// Learns a rotation where `matrix` is given (opq.hpp), the codebooks of product codes (codebooks.hpp) and
// returns the scale of the codes' errors (scan_error.hpp).
//   residuals  [rows][dims], finite, those of a list together; the rotation turns them in place
//   matrix     [dims][dims] or null; product codes only
//   codebooks  codebook_floats(shape), null for rabitq
// The same for any number of threads. Throws std::bad_alloc, parallel::Cancelled.
float learn_codes(const quantize::ListShape &shape, float *residuals, size_t rows, uint64_t seed,
                  parallel::Team &team, float *matrix, float *codebooks);

}  // namespace vann::codebook

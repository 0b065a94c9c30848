// opq.hpp — a learned rotation before product codes: the parametric solution of optimized product
// quantization (Ge et al. 2013, section 3.2).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel/team.hpp"

namespace vann::codebook {

// What learning takes beside the residuals, with the matrix.
constexpr size_t rotation_train_bytes(uint32_t dims) noexcept { return size_t{28} * dims * dims; }

// Finds the orthogonal matrix [dims][dims] whose row j is the direction that becomes dimension j: the
// principal directions of the residuals, dealt out so that the subvectors' products of variances are
// alike, and mixed at random within each subvector, which changes no product code but makes its
// dimensions alike for the codes that treat each on its own.
//   residuals  [rows][dims], finite; all rows are used. Without rows the result is the identity.
// `subvectors` cuts the dimensions as quantize::ListShape does. The same for any number of threads on
// one machine; two CPUs may differ in the last bits, so a matrix is stored, not trained again. Work
// rows * dims^2 in parallel, then about 10 dims^3 in one thread, which cannot be cancelled; 24 dims^2
// bytes. Throws std::bad_alloc, parallel::Cancelled.
void train_rotation(const float *residuals, size_t rows, uint32_t dims, uint32_t subvectors,
                    uint64_t seed, parallel::Team &team, float *matrix);

}  // namespace vann::codebook

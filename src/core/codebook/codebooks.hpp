// codebooks.hpp — codebooks for product codes of lists' rows (quantize/list_code.hpp): trained by
// k-means on each subvector (Jegou et al. 2011, section III), or fixed where there is no data.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel/team.hpp"
#include "core/quantize/list_code.hpp"

namespace vann::codebook {

// Trains the codebooks of a kPq4 or kPq8 shape: codebook_floats(shape) values.
//   residuals  [rows][dims], finite, rotated as rows will be; a sample of at most 512 (4 bits) or 64
//              (8 bits) rows per entry, evenly spread, is used
// Without rows these are the codebooks of signs. The same for any number of threads. Uses
// rows * subvector length * 4 bytes per thread. Throws std::bad_alloc, parallel::Cancelled.
void train_codebooks(const quantize::ListShape &shape, const float *residuals, size_t rows,
                     uint64_t seed, parallel::Team &team, float *codebooks);

// Codebooks for an index without training data: coordinate k of entry u is +1/2 or -1/2 by a bit of
// u. A subvector is cut into as many runs of dimensions as an entry has bits, one bit each; one that
// is shorter has one dimension per bit and leaves the upper bits unused. With subvectors of four
// dimensions kPq4 is then RaBitQ, codes and estimates alike, up to rounding.
void sign_codebooks(const quantize::ListShape &shape, float *codebooks) noexcept;

}  // namespace vann::codebook

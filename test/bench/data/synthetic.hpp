// synthetic.hpp — clustered vectors of any number and dimension.
#pragma once

#include <cstddef>

#include "bench/data/matrix.hpp"

namespace vann::bench {

// A mixture of `clusters` Gaussian clouds in a space of few dimensions, turned into `dims` by a
// fixed linear map, and a little noise in every dimension: as embeddings and descriptors, whose
// intrinsic dimension is far below the stored one. Row i depends on its number alone, not on
// `rows`, threads or the machine; rows at consecutive numbers are independent. Uses all processors.
Matrix draw_clusters(size_t rows, size_t dims, size_t clusters);

}  // namespace vann::bench

// attributes.hpp — integer columns beside the vectors, for filtered queries.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/data/dataset.hpp"

namespace vann::bench {

inline constexpr int32_t kBuckets = 1000;
inline constexpr int32_t kRegions = 20;

struct Attributes {
  std::vector<int32_t> bucket;  // [base.rows], below kBuckets, independent of the vectors
  std::vector<int32_t> region;  // [base.rows], below kRegions: which of some rows is the nearest
  std::vector<int32_t> near;    // [queries.rows]: the query's own region
  std::vector<int32_t> far;     // [queries.rows]: another region, the same number ahead for all
};

Attributes make_attributes(const Dataset &data);

}  // namespace vann::bench

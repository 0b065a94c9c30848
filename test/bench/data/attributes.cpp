// attributes.cpp — hashed row numbers, and the nearest of a few rows.
#include "bench/data/attributes.hpp"

#include "bench/data/workers.hpp"

namespace vann::bench {
namespace {

int32_t bucket_of(size_t row) {
  uint64_t z = (row + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 32) * 0xd6e8feb86659fd93u;
  return static_cast<int32_t>((z >> 32) % kBuckets);
}

int32_t region_of(const Dataset &data, const float *vector) {
  int32_t nearest = 0;
  double best = 0;
  for (int32_t i = 0; i < kRegions; ++i) {
    const float *site = data.base.row(static_cast<size_t>(i) * data.base.rows / kRegions);
    const double distance = exact_distance(data.metric, vector, site, data.dims());
    if (i > 0 && distance >= best) continue;
    nearest = i;
    best = distance;
  }
  return nearest;
}

std::vector<int32_t> regions_of(const Dataset &data, const Matrix &vectors) {
  std::vector<int32_t> regions(vectors.rows);
  on_all_processors(vectors.rows, 256, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) regions[i] = region_of(data, vectors.row(i));
  });
  return regions;
}

}  // namespace

Attributes make_attributes(const Dataset &data) {
  Attributes made;
  for (size_t row = 0; row < data.base.rows; ++row) made.bucket.push_back(bucket_of(row));
  made.region = regions_of(data, data.base);
  made.near = regions_of(data, data.queries);
  for (const int32_t own : made.near) made.far.push_back((own + kRegions / 2) % kRegions);
  return made;
}

}  // namespace vann::bench

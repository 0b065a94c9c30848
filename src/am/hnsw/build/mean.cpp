// mean.cpp — see mean.hpp.
#include "am/hnsw/build/mean.hpp"

#include "am/common/row_sample.hpp"

#include <algorithm>

namespace vann::hnsw {

namespace {

// The mean only has to be near: with n rows the codes' residuals are longer by 1 / n of their squares.
// Of each stretch an eighth may be read, but 8 blocks: few rows may match the predicate.
constexpr am::SamplePlan kSample{256, 1024, 8, 8};

struct Sums {
  RowEncoder *encoder;
  double *sums;  // [dims]
  uint32_t dims;
};

bool add_row(void *state, Datum value, const HeapTid &) {
  Sums &sums = *static_cast<Sums *>(state);
  const float *x = sums.encoder->prepare(value);
  for (uint32_t i = 0; i < sums.dims; ++i) sums.sums[i] += x[i];
  return true;
}

}  // namespace

void sample_mean(Relation heap, IndexInfo *info, RowEncoder *encoder, uint32_t dims, float *mean) {
  std::fill(mean, mean + dims, 0.0f);
  Sums sums{encoder, static_cast<double *>(palloc0(dims * sizeof(double))), dims};
  const auto rows =
      static_cast<double>(am::sample_rows(heap, info, kSample, {add_row, &sums}).indexed_rows);
  if (rows > 0)
    for (uint32_t i = 0; i < dims; ++i) mean[i] = static_cast<float>(sums.sums[i] / rows);
  pfree(sums.sums);
}

}  // namespace vann::hnsw

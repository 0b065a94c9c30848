// sample.cpp — see sample.hpp.
#include "am/ivfpq/build/sample.hpp"

#include "am/common/row_sample.hpp"
#include "am/ivfpq/build/core.hpp"

extern "C" {
#include "commands/progress.h"
#include "utils/backend_progress.h"
#include "utils/snapmgr.h"
}

#include <algorithm>
#include <cmath>

namespace vann::ivfpq {

namespace {

// As for hnsw's mean: of each stretch an eighth may be read, but 8 blocks.
constexpr am::SamplePlan kSurvey{256, 1024, 8, 8};
// Where that meets fewer rows, as under a rare predicate, all blocks may be read.
constexpr uint64_t kFewRows = 256;
// Rows that lie together in the table and are sampled together.
constexpr uint32_t kRowsPerStretch = 8;
constexpr uint64_t kRowsPerReport = 1024;

struct Sums {
  RowReader *reader;
  double *sums;  // [dims]
  float *row;
  uint32_t dims;
};

bool add_to_sums(void *state, Datum value, const HeapTid &) {
  Sums &sums = *static_cast<Sums *>(state);
  sums.reader->prepare(value, sums.row);
  for (uint32_t i = 0; i < sums.dims; ++i) sums.sums[i] += sums.row[i];
  return true;
}

// Everything of each stretch.
am::SamplePlan whole_stretches(Relation heap, uint32_t stretches, uint32_t rows) {
  const BlockNumber blocks = RelationGetNumberOfBlocks(heap);
  return {std::max(1u, stretches), rows, blocks / std::max(1u, std::min(stretches, blocks)) + 1, 1,
          true};
}

struct Filling {
  RowReader *reader;
  Sample *sample;
  size_t capacity;
  float *row;
};

bool add_to_sample(void *state, Datum value, const HeapTid &) {
  Filling &filling = *static_cast<Filling *>(state);
  Sample &sample = *filling.sample;
  if (sample.rows == filling.capacity) return true;
  filling.reader->prepare(value, filling.row);
  quantize::ByteCode &code = sample.codes[sample.rows];
  code = quantize::encode_bytes(filling.row, sample.dims,
                                sample.values + sample.rows * quantize::padded_dims(sample.dims));
  if (sample.lengths != nullptr) {
    const float length = scale_to_unit(&code);
    if (!(length > 0)) return true;
    sample.lengths[sample.rows] = length;
  }
  if (++sample.rows % kRowsPerReport == 0)
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(sample.rows));
  return true;
}

}  // namespace

RowReader::RowReader(const Index &index, Relation heap, MemoryContext context)
    : index_(index),
      row_context_(AllocSetContextCreate(context, "ivfpq build row", ALLOCSET_DEFAULT_SIZES)) {
  toast_.init(heap, context);
}

void RowReader::prepare(Datum value, float *out) {
  {
    pg::ContextScope scope(row_context_);
    bool zero;
    // Builds see rows that only older snapshots see; their chunks are still there as well.
    prepare_vector(index_, toast_.plain(value, SnapshotAny), out, &zero);
  }
  MemoryContextReset(row_context_);
}

double survey_rows(Relation heap, IndexInfo *info, RowReader *reader, float *mean) {
  const uint32_t dims = reader->index().layout().rotated_dims;
  double *sums = static_cast<double *>(palloc0(dims * sizeof(double)));
  Sums state{reader, sums, static_cast<float *>(palloc(dims * sizeof(float))), dims};
  am::SampleCounts counts = am::sample_rows(heap, info, kSurvey, {add_to_sums, &state});
  if (counts.indexed_rows < kFewRows) {
    std::fill(sums, sums + dims, 0.0);
    counts =
        am::sample_rows(heap, info, whole_stretches(heap, kSurvey.stretches, kSurvey.rows_wanted),
                        {add_to_sums, &state});
  }
  const double rows = static_cast<double>(std::max<uint64_t>(counts.indexed_rows, 1));
  for (uint32_t i = 0; i < dims; ++i) mean[i] = static_cast<float>(sums[i] / rows);
  keep_finite(mean, dims);
  pfree(state.row);
  pfree(sums);
  return am::indexed_rows(heap, counts);
}

Sample sample_rows(Relation heap, IndexInfo *info, RowReader *reader, uint32_t wanted,
                   double *rows) {
  const IndexCache &cache = *reader->index().cache;
  const auto allocate = [](size_t bytes) {
    return MemoryContextAllocHuge(CurrentMemoryContext, bytes);
  };
  Sample sample{0, cache.layout.rotated_dims, nullptr, nullptr, nullptr};
  sample.values = pg::allocate_aligned<int8_t>(CurrentMemoryContext,
                                               wanted * quantize::padded_dims(sample.dims));
  sample.codes = static_cast<quantize::ByteCode *>(allocate(wanted * sizeof(quantize::ByteCode)));
  if (cache.metric == Metric::kInnerProduct)
    sample.lengths = static_cast<float *>(allocate(wanted * sizeof(float)));
  pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, wanted);
  Filling filling{reader, &sample, wanted,
                  static_cast<float *>(palloc(sample.dims * sizeof(float)))};
  const am::SampleCounts counts =
      am::sample_rows(heap, info, whole_stretches(heap, wanted / kRowsPerStretch, wanted),
                      {add_to_sample, &filling});
  *rows = am::indexed_rows(heap, counts);
  pfree(filling.row);
  return sample;
}

float scale_to_unit(quantize::ByteCode *code) {
  const float length = std::sqrt(code->factors.norm_squared);
  if (!(length > 0) || !std::isfinite(length)) return 0;
  code->factors.norm_squared = 1;
  code->factors.delta /= length;
  return length;
}

}  // namespace vann::ivfpq

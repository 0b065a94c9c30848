// plan.cpp — see plan.hpp and ../README.md, "Build".
#include "am/ivfpq/build/plan.hpp"

#include "am/common/build_common.hpp"
#include "am/ivfpq/options.hpp"
#include "core/cluster/train.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr size_t kLeastTrainBytes = size_t{8} << 20;
// Sample rows per list: what is wanted, and what it takes to have the list.
constexpr size_t kRowsPerList = 256;
constexpr size_t kLeastRowsPerList = 16;
// A sample is small beside a table's scan: there is no gain in fewer.
constexpr size_t kLeastSample = 16384;
constexpr size_t kMostSample = size_t{1} << 28;
// What 256 entries of a codebook are trained on, 64 rows each.
constexpr size_t kCodedRows = 16384;
constexpr size_t kLeastCodedRows = 256;
// One part in so many of the training's memory is for threads.
constexpr size_t kShareOfThreads = 8;

// A row of the sample: its code, its length, its list, and what the training keeps of it.
size_t row_bytes(size_t dims) {
  return quantize::padded_dims(dims) + sizeof(quantize::ByteCode) + sizeof(float) +
         sizeof(uint32_t) + cluster::train_bytes(1, 0, 0, 0);
}

}  // namespace

size_t build_memory() { return size_t{1024} * static_cast<size_t>(maintenance_work_mem); }

BuildPlan plan_build(const MetaPage &meta, const Layout &layout, double rows) {
  const size_t dims = layout.rotated_dims;
  const size_t half = std::max(kLeastTrainBytes, build_memory() / 2);
  // What threads share must not depend on their number: indexes would differ.
  const size_t for_threads = half / kShareOfThreads;
  const size_t memory = half - for_threads;
  const size_t list_bytes = cluster::train_bytes(0, dims, 1, 0);
  const size_t most_lists = memory / (list_bytes + kLeastRowsPerList * row_bytes(dims));
  const size_t lists =
      std::clamp<size_t>(lists_for(meta, rows), 1, std::max<size_t>(1, most_lists));
  const size_t fits = (memory - std::min(memory, lists * list_bytes)) / row_bytes(dims);
  const size_t sample = std::clamp(std::max(kLeastSample, lists * kRowsPerList), size_t{1},
                                   std::min(fits, kMostSample));
  const size_t coded = memory / 2 / (dims * sizeof(float));
  const size_t threads = for_threads / cluster::train_bytes(0, 0, 0, 1);
  return {static_cast<uint32_t>(lists), static_cast<uint32_t>(sample),
          static_cast<uint32_t>(std::clamp(coded, kLeastCodedRows, kCodedRows)),
          std::clamp(static_cast<unsigned>(threads), 1u, am::build_threads())};
}

uint32_t trainable_lists(const MetaPage &meta, uint32_t lists, size_t sample_rows) {
  if (meta.wanted_lists == 0 && sample_rows < kLeastTrained) return 1;
  return static_cast<uint32_t>(
      std::clamp<size_t>(lists, 1, std::max<size_t>(1, sample_rows / kLeastRowsPerList)));
}

}  // namespace vann::ivfpq

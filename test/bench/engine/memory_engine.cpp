// memory_engine.cpp — builds and searches, timed from this process.
#include "bench/engine/memory_engine.hpp"

#include <cmath>

namespace vann::bench {
namespace {

// Rows of a matrix from `first` on; under cosine a copy of unit length, which `copy` holds.
Vectors prepared(const Matrix &from, size_t first, Metric metric, std::vector<float> &copy) {
  const size_t rows = from.rows - first, dims = from.dims;
  if (metric != Metric::kCosine) return {from.row(first), rows, dims};
  copy.assign(from.row(first), from.row(first) + rows * dims);
  for (size_t i = 0; i < rows; ++i) {
    float *row = copy.data() + i * dims;
    double norm = 0;
    for (size_t j = 0; j < dims; ++j) norm += double{row[j]} * row[j];
    const float scale = norm > 0 ? static_cast<float>(1 / std::sqrt(norm)) : 0.0f;
    for (size_t j = 0; j < dims; ++j) row[j] *= scale;
  }
  return {copy.data(), rows, dims};
}

}  // namespace

MemoryEngine::MemoryEngine(const EngineSpec &spec, std::string version, const Options &options,
                           const Dataset &data)
    : Engine(spec, std::move(version), knob_of(spec, options, data.indexed())), options_(options),
      metric_(data.metric), first_(data.held),
      base_(prepared(data.base, data.held, data.metric, unit_base_)),
      queries_(prepared(data.queries, 0, data.metric, unit_queries_)) {}

BuildFigures MemoryEngine::build() {
  const size_t before = anonymous_bytes(getpid());
  MemoryWatch watch([] { return std::vector<int>{getpid()}; });
  const Clock::time_point started = Clock::now();
  build_index(base_, static_cast<size_t>(options_.workers) + 1);
  BuildFigures figures;
  figures.seconds = seconds_since(started);
  watch.stop();
  state_ = State::kBuilt;
  figures.index_bytes = index_bytes();
  figures.private_bytes = static_cast<double>(watch.private_bytes() - before);
  return figures;
}

Pass MemoryEngine::search(size_t k, int effort, size_t n_queries) {
  set_effort(effort);
  Pass pass;
  for (size_t i = 0; i < std::min(n_queries, queries_.rows); ++i) {
    const Clock::time_point started = Clock::now();
    std::vector<int64_t> rows = nearest(queries_.row(i), k);
    pass.microseconds.push_back(seconds_since(started) * 1e6);
    for (int64_t &row : rows) row += static_cast<int64_t>(first_);
    pass.found.push_back(std::move(rows));
  }
  return pass;
}

}  // namespace vann::bench

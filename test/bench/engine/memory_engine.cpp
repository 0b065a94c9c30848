// memory_engine.cpp — builds and searches, timed from this process.
#include "bench/engine/memory_engine.hpp"

#include <cmath>

namespace vann::bench {
namespace {

Matrix prepared(const Matrix &from, size_t first, Metric metric) {
  Matrix matrix{
      from.rows - first, from.dims, {from.values.begin() + first * from.dims, from.values.end()}};
  if (metric != Metric::kCosine) return matrix;
  for (size_t i = 0; i < matrix.rows; ++i) {
    float *row = matrix.values.data() + i * matrix.dims;
    double norm = 0;
    for (size_t j = 0; j < matrix.dims; ++j) norm += double{row[j]} * row[j];
    const float scale = norm > 0 ? static_cast<float>(1 / std::sqrt(norm)) : 0.0f;
    for (size_t j = 0; j < matrix.dims; ++j) row[j] *= scale;
  }
  return matrix;
}

}  // namespace

MemoryEngine::MemoryEngine(std::string name, std::string version, const Options &options,
                           const Dataset &data)
    : Engine(std::move(name), std::move(version)), options_(options), metric_(data.metric),
      first_(data.held), base_(prepared(data.base, data.held, data.metric)),
      queries_(prepared(data.queries, 0, data.metric)) {}

BuildFigures MemoryEngine::build() {
  const size_t before = anonymous_bytes(getpid());
  MemoryWatch watch([] { return std::vector<int>{getpid()}; });
  const Clock::time_point started = Clock::now();
  build_graph(base_, static_cast<size_t>(options_.workers) + 1);
  BuildFigures figures;
  figures.seconds = seconds_since(started);
  watch.stop();
  state_ = State::kBuilt;
  figures.index_bytes = index_bytes();
  figures.private_bytes = static_cast<double>(watch.private_bytes() - before);
  return figures;
}

Pass MemoryEngine::search(size_t k, int ef_search, size_t n_queries) {
  set_ef(ef_search);
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

// memory_engine.cpp — hnswlib; compiled to nothing without its header.
#include "memory_engine.hpp"

#ifndef VANN_HAVE_HNSWLIB

namespace vann::bench {
std::optional<EngineResult> measure_hnswlib(const Options &, const Dataset &, const GroundTruth &) {
  return {};
}
}  // namespace vann::bench

#else

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <thread>

#include <hnswlib/hnswlib.h>

namespace vann::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Graph = hnswlib::HierarchicalNSW<float>;

// hnswlib has no cosine: it searches unit vectors by inner product.
Matrix prepared(const Matrix &matrix, Metric metric) {
  Matrix copy = matrix;
  if (metric == Metric::kL2) return copy;
  for (size_t i = 0; i < copy.rows; ++i) {
    float *row = copy.values.data() + i * copy.dims;
    double norm = 0;
    for (size_t j = 0; j < copy.dims; ++j) norm += double{row[j]} * row[j];
    const float scale = norm > 0 ? static_cast<float>(1 / std::sqrt(norm)) : 0.0f;
    for (size_t j = 0; j < copy.dims; ++j) row[j] *= scale;
  }
  return copy;
}

std::unique_ptr<hnswlib::SpaceInterface<float>> make_space(const Dataset &data) {
  if (data.metric == Metric::kL2) return std::make_unique<hnswlib::L2Space>(data.base.dims);
  return std::make_unique<hnswlib::InnerProductSpace>(data.base.dims);
}

void add_rows(Graph &graph, const Matrix &base, size_t rows, int threads) {
  graph.addPoint(base.row(0), 0);
  std::atomic<size_t> next = 1;
  std::vector<std::jthread> team;
  for (int t = 0; t < threads; ++t) {
    team.emplace_back([&] {
      for (size_t row; (row = next++) < rows;) graph.addPoint(base.row(row), row);
    });
  }
}

int64_t bytes_of(const Graph &graph, size_t rows) {
  size_t bytes = rows * graph.size_data_per_element_;
  for (size_t i = 0; i < rows; ++i) {
    bytes += static_cast<size_t>(graph.element_levels_[i]) * graph.size_links_per_element_;
  }
  return static_cast<int64_t>(bytes);
}

Pass search_once(Graph &graph, const Matrix &queries, size_t k) {
  Pass pass;
  for (size_t i = 0; i < queries.rows; ++i) {
    const Clock::time_point started = Clock::now();
    auto nearest = graph.searchKnn(queries.row(i), k);
    pass.microseconds.push_back(
        std::chrono::duration<double, std::micro>(Clock::now() - started).count());
    std::vector<int64_t> rows;
    for (; !nearest.empty(); nearest.pop()) {
      rows.push_back(static_cast<int64_t>(nearest.top().second));
    }
    std::reverse(rows.begin(), rows.end());
    pass.found.push_back(std::move(rows));
  }
  return pass;
}

}  // namespace

std::optional<EngineResult> measure_hnswlib(const Options &options, const Dataset &data,
                                            const GroundTruth &truth) {
  const size_t rows = data.base.rows - options.inserts;
  const Matrix base = prepared(data.base, data.metric);
  const Matrix queries = prepared(data.queries, data.metric);
  const auto space = make_space(data);
  EngineResult result;
  result.engine = "hnswlib";
  std::cerr << "hnswlib: building\n";
  const Clock::time_point started = Clock::now();
  Graph graph(space.get(), rows, static_cast<size_t>(options.m),
              static_cast<size_t>(options.ef_construction));
  add_rows(graph, base, rows, options.workers + 1);
  result.build_seconds = std::chrono::duration<double>(Clock::now() - started).count();
  result.index_bytes = bytes_of(graph, rows);
  for (const int ef : options.ef_search) {
    graph.setEf(static_cast<size_t>(ef));
    search_once(graph, queries, options.k);
    std::vector<Pass> passes;
    for (size_t i = 0; i < options.passes; ++i) {
      passes.push_back(search_once(graph, queries, options.k));
    }
    SearchPoint point = summarize(ef, passes);
    point.recall =
        truth.recall(passes[0].found, options.k, [rows](size_t row) { return row < rows; });
    result.curve.push_back(point);
  }
  return result;
}

}  // namespace vann::bench

#endif

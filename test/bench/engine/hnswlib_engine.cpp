// hnswlib_engine.cpp — hnswlib; only a null pointer without its header.
#include "bench/engine/memory_engines.hpp"

#ifndef VANN_HAVE_HNSWLIB

namespace vann::bench {
std::unique_ptr<Engine> make_hnswlib(const EngineSpec &, const Options &, const Dataset &) {
  return nullptr;
}
}  // namespace vann::bench

#else

#include <algorithm>
#include <atomic>
#include <thread>

#include <hnswlib/hnswlib.h>

#include "bench/engine/memory_engine.hpp"

namespace vann::bench {
namespace {

class Hnswlib : public MemoryEngine {
 public:
  Hnswlib(const EngineSpec &spec, const Options &options, const Dataset &data)
      : MemoryEngine(spec, VANN_HAVE_HNSWLIB, options, data) {
    if (metric_ == Metric::kL2) {
      space_ = std::make_unique<hnswlib::L2Space>(data.dims());
    } else {
      space_ = std::make_unique<hnswlib::InnerProductSpace>(data.dims());
    }
  }

 private:
  using Graph = hnswlib::HierarchicalNSW<float>;

  void build_index(const Vectors &base, size_t threads) override {
    graph_.reset();
    graph_ = std::make_unique<Graph>(space_.get(), base.rows, static_cast<size_t>(options_.m),
                                     static_cast<size_t>(options_.ef_construction));
    graph_->addPoint(base.row(0), 0);
    std::atomic<size_t> next = 1;
    std::vector<std::jthread> team;
    for (size_t t = 0; t < threads; ++t) {
      team.emplace_back([&] {
        for (size_t row; (row = next++) < base.rows;) graph_->addPoint(base.row(row), row);
      });
    }
  }

  double index_bytes() const override {
    size_t bytes = graph_->cur_element_count * graph_->size_data_per_element_;
    for (size_t i = 0; i < graph_->cur_element_count; ++i) {
      bytes += static_cast<size_t>(graph_->element_levels_[i]) * graph_->size_links_per_element_;
    }
    return static_cast<double>(bytes);
  }

  void set_effort(int effort) override { graph_->setEf(static_cast<size_t>(effort)); }

  std::vector<int64_t> nearest(const float *query, size_t k) override {
    auto found = graph_->searchKnn(query, k);
    std::vector<int64_t> rows;
    for (; !found.empty(); found.pop()) rows.push_back(static_cast<int64_t>(found.top().second));
    std::reverse(rows.begin(), rows.end());
    return rows;
  }

  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace

std::unique_ptr<Engine> make_hnswlib(const EngineSpec &spec, const Options &options,
                                     const Dataset &data) {
  return std::make_unique<Hnswlib>(spec, options, data);
}

}  // namespace vann::bench

#endif

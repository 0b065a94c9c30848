// faiss_engine.cpp — Faiss's IndexHNSWFlat; only a null pointer without the library.
#include "bench/engine/memory_engines.hpp"

#ifndef VANN_HAVE_FAISS

namespace vann::bench {
std::unique_ptr<Engine> make_faiss(const EngineSpec &, const Options &, const Dataset &) {
  return nullptr;
}
}  // namespace vann::bench

#else

#include <faiss/IndexHNSW.h>
#include <omp.h>

#include "bench/engine/faiss_version.hpp"
#include "bench/engine/memory_engine.hpp"

namespace vann::bench {
namespace {

class Faiss : public MemoryEngine {
 public:
  Faiss(const EngineSpec &spec, const Options &options, const Dataset &data)
      : MemoryEngine(spec, faiss_version(), options, data), dims_(data.dims()) {}

 private:
  // Unit vectors have the same order under L2 as under cosine.
  void build_index(const Vectors &base, size_t threads) override {
    index_.reset();
    index_ = std::make_unique<faiss::IndexHNSWFlat>(
        static_cast<int>(dims_), options_.m,
        metric_ == Metric::kInnerProduct ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2);
    index_->hnsw.efConstruction = options_.ef_construction;
    omp_set_num_threads(static_cast<int>(threads));
    index_->add(static_cast<faiss::Index::idx_t>(base.rows), base.values);
    omp_set_num_threads(1);
  }

  double index_bytes() const override {
    const faiss::HNSW &graph = index_->hnsw;
    return static_cast<double>(static_cast<size_t>(index_->ntotal) * dims_ * sizeof(float) +
                               graph.neighbors.size() * sizeof(graph.neighbors[0]) +
                               graph.offsets.size() * sizeof(graph.offsets[0]) +
                               graph.levels.size() * sizeof(graph.levels[0]));
  }

  void set_effort(int effort) override { index_->hnsw.efSearch = effort; }

  std::vector<int64_t> nearest(const float *query, size_t k) override {
    std::vector<int64_t> rows(k);
    distances_.resize(k);
    index_->search(1, query, static_cast<faiss::Index::idx_t>(k), distances_.data(), rows.data());
    while (!rows.empty() && rows.back() < 0) rows.pop_back();
    return rows;
  }

  const size_t dims_;
  std::unique_ptr<faiss::IndexHNSWFlat> index_;
  std::vector<float> distances_;
};

}  // namespace

std::unique_ptr<Engine> make_faiss(const EngineSpec &spec, const Options &options,
                                   const Dataset &data) {
  return std::make_unique<Faiss>(spec, options, data);
}

}  // namespace vann::bench

#endif

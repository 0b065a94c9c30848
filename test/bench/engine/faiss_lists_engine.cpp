// faiss_lists_engine.cpp — Faiss's IndexIVFFlat, and its IndexIVFPQFastScan under an IndexRefineFlat;
// only null pointers without the library.
#include "bench/engine/memory_engines.hpp"

#ifndef VANN_HAVE_FAISS

namespace vann::bench {
std::unique_ptr<Engine> make_faiss_ivfflat(const EngineSpec &, const Options &, const Dataset &) {
  return nullptr;
}
std::unique_ptr<Engine> make_faiss_ivfpqfs(const EngineSpec &, const Options &, const Dataset &) {
  return nullptr;
}
}  // namespace vann::bench

#else

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexRefine.h>
#include <faiss/invlists/BlockInvertedLists.h>
#include <omp.h>

#include "bench/engine/faiss_version.hpp"
#include "bench/engine/memory_engine.hpp"

namespace vann::bench {
namespace {

// What both kinds of lists share. Unit vectors have the same order under L2 as under cosine.
class FaissLists : public MemoryEngine {
 protected:
  FaissLists(const EngineSpec &spec, const Options &options, const Dataset &data)
      : MemoryEngine(spec, faiss_version(), options, data), dims_(data.dims()),
        n_lists_(lists_of(spec, options, data.indexed())),
        faiss_metric_(metric_ == Metric::kInnerProduct ? faiss::METRIC_INNER_PRODUCT
                                                       : faiss::METRIC_L2) {}

  // Index without rows, whose lists have the centroids of quantizer().
  virtual void make() = 0;
  virtual faiss::Index &whole() = 0;
  virtual faiss::IndexIVF &lists() = 0;
  // Codes of all rows.
  virtual size_t code_bytes() const = 0;

  faiss::IndexFlat *quantizer() { return &*quantizer_; }
  size_t n_rows() const { return n_rows_; }

  const size_t dims_;
  const size_t n_lists_;
  const faiss::MetricType faiss_metric_;

 private:
  using Number = faiss::Index::idx_t;

  void build_index(const Vectors &base, size_t threads) override {
    quantizer_.emplace(static_cast<Number>(dims_), faiss_metric_);
    make();
    n_rows_ = base.rows;
    omp_set_num_threads(static_cast<int>(threads));
    whole().train(static_cast<Number>(base.rows), base.values);
    whole().add(static_cast<Number>(base.rows), base.values);
    omp_set_num_threads(1);
  }

  double index_bytes() const override {
    return static_cast<double>(n_lists_ * dims_ * sizeof(float) + n_rows_ * sizeof(Number) +
                               code_bytes());
  }

  void set_effort(int effort) override { lists().nprobe = static_cast<size_t>(effort); }

  std::vector<int64_t> nearest(const float *query, size_t k) override {
    std::vector<int64_t> rows(k);
    distances_.resize(k);
    whole().search(1, query, static_cast<Number>(k), distances_.data(), rows.data());
    while (!rows.empty() && rows.back() < 0) rows.pop_back();
    return rows;
  }

  std::optional<faiss::IndexFlat> quantizer_;
  size_t n_rows_ = 0;
  std::vector<float> distances_;
};

class FaissIvfFlat : public FaissLists {
 public:
  FaissIvfFlat(const EngineSpec &spec, const Options &options, const Dataset &data)
      : FaissLists(spec, options, data) {}

 private:
  void make() override { index_.emplace(quantizer(), dims_, n_lists_, faiss_metric_); }
  faiss::Index &whole() override { return *index_; }
  faiss::IndexIVF &lists() override { return *index_; }
  size_t code_bytes() const override { return n_rows() * dims_ * sizeof(float); }

  std::optional<faiss::IndexIVFFlat> index_;
};

class FaissIvfPqFastScan : public FaissLists {
 public:
  FaissIvfPqFastScan(const EngineSpec &spec, const Options &options, const Dataset &data)
      : FaissLists(spec, options, data), k_factor_(std::stof(spec.option("k_factor", "10"))) {}

 private:
  static constexpr size_t kBits = 4;

  // A quarter of the dimensions, or fewer, since their number must be a multiple.
  size_t subvectors() const {
    size_t m = std::max<size_t>(dims_ / 4, 1);
    while (dims_ % m != 0) --m;
    return m;
  }

  void make() override {
    refined_.reset();
    index_.emplace(quantizer(), dims_, n_lists_, subvectors(), kBits, faiss_metric_);
    refined_.emplace(&*index_);
    refined_->k_factor = k_factor_;
  }

  faiss::Index &whole() override { return *refined_; }
  faiss::IndexIVF &lists() override { return *index_; }

  // Codes in blocks, and the vectors that refine them.
  size_t code_bytes() const override {
    size_t bytes = n_rows() * dims_ * sizeof(float);
    const auto &blocks = dynamic_cast<const faiss::BlockInvertedLists &>(*index_->invlists);
    for (const auto &codes : blocks.codes) bytes += codes.size();
    return bytes;
  }

  const float k_factor_;
  std::optional<faiss::IndexIVFPQFastScan> index_;
  std::optional<faiss::IndexRefineFlat> refined_;
};

}  // namespace

std::unique_ptr<Engine> make_faiss_ivfflat(const EngineSpec &spec, const Options &options,
                                           const Dataset &data) {
  return std::make_unique<FaissIvfFlat>(spec, options, data);
}

std::unique_ptr<Engine> make_faiss_ivfpqfs(const EngineSpec &spec, const Options &options,
                                           const Dataset &data) {
  return std::make_unique<FaissIvfPqFastScan>(spec, options, data);
}

}  // namespace vann::bench

#endif

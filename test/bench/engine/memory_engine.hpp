// memory_engine.hpp — what the libraries' engines share.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <unistd.h>

#include "bench/engine/engine.hpp"
#include "bench/engine/memory_watch.hpp"
#include "bench/options.hpp"

namespace vann::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

// Vectors that lie one after another, here or in the data set.
struct Vectors {
  const float *values;
  size_t rows;
  size_t dims;

  const float *row(size_t i) const { return values + i * dims; }
};

class MemoryEngine : public Engine {
 public:
  BuildFigures build() final;
  Pass search(size_t k, int effort, size_t n_queries) final;

 protected:
  // Keeps the references. Under cosine, which the libraries do not have, copies the vectors and makes
  // them of unit length.
  MemoryEngine(const EngineSpec &spec, std::string version, const Options &options,
               const Dataset &data);

  // Replaces the index by one of all rows.
  virtual void build_index(const Vectors &base, size_t threads) = 0;
  virtual double index_bytes() const = 0;
  virtual void set_effort(int effort) = 0;
  virtual std::vector<int64_t> nearest(const float *query, size_t k) = 0;

  const Options &options_;
  const Metric metric_;

 private:
  const size_t first_;               // number of the first row in the index
  std::vector<float> unit_base_;     // where copied
  std::vector<float> unit_queries_;  // where copied
  Vectors base_;
  Vectors queries_;
};

}  // namespace vann::bench

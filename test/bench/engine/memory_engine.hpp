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

class MemoryEngine : public Engine {
 public:
  BuildFigures build() final;
  Pass search(size_t k, int ef_search, size_t n_queries) final;

 protected:
  // Copies the vectors; of unit length under cosine, which the libraries do not have.
  MemoryEngine(std::string name, std::string version, const Options &options, const Dataset &data);

  // Replaces the index by one of all rows.
  virtual void build_graph(const Matrix &base, size_t threads) = 0;
  virtual double index_bytes() const = 0;
  virtual void set_ef(int ef_search) = 0;
  virtual std::vector<int64_t> nearest(const float *query, size_t k) = 0;

  const Options &options_;
  const Metric metric_;

 private:
  const size_t first_;  // number of the first row in the index
  Matrix base_;
  Matrix queries_;
};

}  // namespace vann::bench

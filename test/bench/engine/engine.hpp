// engine.hpp — what every engine can do: build an index of a data set's indexed rows, and search
// it.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/data/ground_truth.hpp"

namespace vann::bench {

// One pass over the queries, one after another.
struct Pass {
  Found found;
  std::vector<double> microseconds;  // [query]
};

struct BuildFigures {
  double seconds = 0;
  double index_bytes = 0;
  double private_bytes = 0;            // peak of anonymous memory of the processes that build
  std::optional<double> shared_bytes;  // peak of dynamic shared memory segments
  std::optional<double> temp_bytes;    // written to temporary files
};

class SqlEngine;

class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  const std::string &name() const { return name_; }
  const std::string &version() const { return version_; }

  // Builds the index anew. Throws std::runtime_error when that fails.
  virtual BuildFigures build() = 0;
  // Builds it unless it is there. Throws where it was given up before.
  void ensure_built() {
    if (state_ == State::kFailed) throw std::runtime_error("there is no index");
    if (state_ == State::kNone) build();
  }
  // The first `n_queries` queries. The index must be there.
  virtual Pass search(size_t k, int ef_search, size_t n_queries) = 0;
  // Itself, if it lives in a server.
  virtual SqlEngine *sql() { return nullptr; }

 protected:
  Engine(std::string name, std::string version)
      : name_(std::move(name)), version_(std::move(version)) {}

  std::string name_;
  std::string version_;
  enum class State { kNone, kBuilt, kFailed } state_ = State::kNone;
};

}  // namespace vann::bench

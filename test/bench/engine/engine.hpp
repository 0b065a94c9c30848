// engine.hpp — what every engine can do: build an index of a data set's indexed rows, and search
// it.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/data/ground_truth.hpp"
#include "bench/engine/spec.hpp"

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

  const std::string &name() const { return spec_.name; }
  const EngineSpec &spec() const { return spec_; }
  const std::string &version() const { return version_; }
  // As it serves the index of all rows.
  const Knob &knob() const { return knob_; }

  // Builds the index anew. Throws std::runtime_error when that fails.
  virtual BuildFigures build() = 0;
  // Builds it unless it is there. Throws where it was given up before.
  void ensure_built() {
    if (state_ == State::kFailed) throw std::runtime_error("there is no index");
    if (state_ == State::kNone) build();
  }
  // The first `n_queries` queries, at an effort of the knob. The index must be there.
  virtual Pass search(size_t k, int effort, size_t n_queries) = 0;
  // Itself, if it lives in a server.
  virtual SqlEngine *sql() { return nullptr; }

 protected:
  Engine(const EngineSpec &spec, std::string version, Knob knob)
      : spec_(spec), knob_(std::move(knob)), version_(std::move(version)) {}

  const EngineSpec spec_;
  const Knob knob_;
  std::string version_;
  enum class State { kNone, kBuilt, kFailed } state_ = State::kNone;
};

}  // namespace vann::bench

// progress.hpp — the loops of one training as one stage of the monitor. How often Lloyd's algorithm
// will turn is not known before, so the total is an estimate that reports never exceed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/parallel/team.hpp"

namespace vann::cluster {

class Progress {
 public:
  // Does not own the team.
  Progress(parallel::Team &team, int stage, uint64_t total) noexcept
      : team_(team), stage_(stage), total_(total) {}

  unsigned threads() const noexcept { return team_.threads(); }

  // Team::run() over `items`, counted as done afterwards.
  template <class Body>
  void run(size_t items, size_t chunk, Body &&body) {
    team_.run(parallel::Loop{stage_, items, chunk, done_, total_}, body);
    done_ = std::min(done_ + items, total_);
  }

  void finish() { team_.poll(stage_, total_, total_); }

 private:
  parallel::Team &team_;
  int stage_;
  uint64_t done_ = 0;
  uint64_t total_;
};

}  // namespace vann::cluster

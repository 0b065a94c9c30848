// monitors.hpp — monitors for tests: one that never cancels and remembers, one that cancels.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/parallel/monitor.hpp"

namespace vann::parallel::test {

struct Report {
  int stage;
  uint64_t done;
  uint64_t total;
};

class RecordingMonitor : public Monitor {
 public:
  bool cancelled() noexcept override {
    ++polls;
    return false;
  }
  void progress(int stage, uint64_t done, uint64_t total) noexcept override {
    reports.push_back({stage, done, total});
    on_starting_thread &= std::this_thread::get_id() == starter_;
  }

  std::atomic<int> polls{0};
  std::vector<Report> reports;
  bool on_starting_thread = true;

 private:
  std::thread::id starter_ = std::this_thread::get_id();
};

// Cancels at the poll after `polls` others.
class CancellingMonitor : public Monitor {
 public:
  explicit CancellingMonitor(int polls) : left_(polls) {}
  bool cancelled() noexcept override { return left_-- <= 0; }
  void progress(int, uint64_t, uint64_t) noexcept override {}

 private:
  int left_;
};

}  // namespace vann::parallel::test

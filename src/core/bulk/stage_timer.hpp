// stage_timer.hpp — a monitor that passes everything on and notes how long each stage took. Work on
// parts of a stage can be shown as progress of the whole.
#pragma once

#include <chrono>

#include "core/bulk/index_build.hpp"

namespace vann::bulk {

class StageTimer final : public parallel::Monitor {
 public:
  explicit StageTimer(parallel::Monitor &outer) noexcept : outer_(outer) {}

  bool cancelled() noexcept override { return outer_.cancelled(); }
  void progress(int stage, uint64_t done, uint64_t total) noexcept override;

  // Until the next call, a stage's progress counts as `share` units after `before`, of `total`; with
  // total 0 as it is.
  void set_part(uint64_t before, uint64_t share, uint64_t total) noexcept {
    before_ = before;
    share_ = share;
    total_ = total;
  }
  // Ends the running stage.
  void stop() noexcept;

  const StageSeconds &seconds() const noexcept { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;

  parallel::Monitor &outer_;
  int stage_ = -1;
  Clock::time_point started_;
  StageSeconds seconds_{};
  uint64_t before_ = 0;
  uint64_t share_ = 0;
  uint64_t total_ = 0;
};

}  // namespace vann::bulk

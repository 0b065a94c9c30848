// stage_timer.cpp — a stage begins with its first report and ends with another's.
#include "core/bulk/stage_timer.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::bulk {

void StageTimer::stop() noexcept {
  if (stage_ >= 0)
    seconds_[static_cast<size_t>(stage_)] +=
        std::chrono::duration<double>(Clock::now() - started_).count();
  stage_ = -1;
}

void StageTimer::progress(int stage, uint64_t done, uint64_t total) noexcept {
  if (stage != stage_) {
    stop();
    stage_ = stage;
    started_ = Clock::now();
  }
  if (total_ == 0) {
    outer_.progress(stage, done, total);
    return;
  }
  const uint64_t part = total == 0 ? 0 : done * share_ / total;
  outer_.progress(stage, before_ + part, total_);
}

}  // namespace vann::bulk

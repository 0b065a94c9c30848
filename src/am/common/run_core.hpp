// run_core.hpp — core work inside a backend: progress, cancellation and errors of a build.
#pragma once

#include "pg/spill_file.hpp"

#include "core/parallel/team.hpp"

namespace vann::am {

// Progress and cancellation for core work that runs inside a backend.
class BackendMonitor : public parallel::Monitor {
 public:
  // `shown`: whether this is an index build, whose progress the server shows; `first_phase`: the
  // subphase (ambuildphasename) of the work's stage 0, the others follow.
  BackendMonitor(bool shown, int64_t first_phase) noexcept
      : shown_(shown), first_phase_(first_phase) {}

  bool cancelled() noexcept override;
  void progress(int stage, uint64_t done, uint64_t total) noexcept override;

 private:
  bool shown_;
  int64_t first_phase_;
  int stage_ = -1;
  uint64_t total_ = 0;
};

// Runs core work: exceptions become errors once all C++ frames below have gone. A `space` that the work
// spills to tells why it failed.
void run_core(void (*work)(void *), void *argument, const pg::SpillSpace *space = nullptr);

}  // namespace vann::am

// monitor.hpp — how long core work reports progress and learns that it must stop.
#pragma once

#include <cstdint>

namespace vann::parallel {

// Implemented by the shell. Both calls come from the thread that started the work, never from a
// helper thread, at least every 100 ms. They must not throw, longjmp or block.
class Monitor {
 public:
  virtual ~Monitor() = default;
  // True: the work must stop as soon as it can; it then throws Cancelled.
  virtual bool cancelled() noexcept = 0;
  // `done` of `total` units of the named stage; `stage` counts from 0 in the order of
  // build::Stage.
  virtual void progress(int stage, uint64_t done, uint64_t total) noexcept = 0;
};

// Thrown on the starting thread, after all helpers have stopped.
struct Cancelled {};

}  // namespace vann::parallel

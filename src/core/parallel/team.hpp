// team.hpp — runs a loop on several threads for core code that lives inside a server process.
// Helpers are plain threads, joined before run() returns, so nothing of ours survives a build and
// thread checkers see every synchronisation. No signal is ever delivered to a helper.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "core/parallel/monitor.hpp"

namespace vann::parallel {

class Region;

// One thread's view of the running loop, handed to the loop body.
class Worker {
 public:
  // 0 for the starting thread, below Team::threads() for helpers: the index of per-thread scratch.
  unsigned index() const noexcept { return index_; }

  // To be called inside a chunk that may take longer than about 10 ms. Unwinds the body when the
  // loop has been cancelled or another worker has failed. The body must let that exception pass.
  void checkpoint();

 private:
  friend class Region;
  Worker(Region &region, unsigned index) noexcept : region_(region), index_(index) {}

  Region &region_;
  unsigned index_;
};

// One loop over [0, items), in chunks taken by whichever thread is free.
struct Loop {
  int stage = 0;  // reported to the monitor
  size_t items = 0;
  size_t chunk = 1;          // > 0
  uint64_t done_before = 0;  // units of the stage finished by earlier loops of it
  uint64_t stage_total = 0;  // units of the whole stage, one per item; bounds what is reported
};

// A body that is called, not owned: body(worker, begin, end) for each chunk.
class LoopBody {
 public:
  template <class Body>
  explicit LoopBody(Body &body) noexcept
      : body_(std::addressof(body)),
        call_([](void *self, Worker &worker, size_t begin, size_t end) {
          (*static_cast<Body *>(self))(worker, begin, end);
        }) {}

  void operator()(Worker &worker, size_t begin, size_t end) const {
    call_(body_, worker, begin, end);
  }

 private:
  void *body_;
  void (*call_)(void *, Worker &, size_t, size_t);
};

class Team {
 public:
  // `threads` includes the starting thread; 0 counts as 1. Does not own the monitor.
  Team(unsigned threads, Monitor &monitor) noexcept
      : threads_(threads == 0 ? 1 : threads), monitor_(monitor) {}

  unsigned threads() const noexcept { return threads_; }

  // Calls body(Worker &, size_t begin, size_t end) until [0, loop.items) is covered. The starting
  // thread takes part, and polls the monitor at the start, at the end and about every 20 ms. If
  // the system refuses threads, the loop runs on fewer. Throws Cancelled, or the first exception
  // that a body threw; in every case all helpers have ended.
  template <class Body>
  void run(const Loop &loop, Body &&body) {
    run_loop(loop, LoopBody(body));
  }

  // The same contract for work that the starting thread does alone: throws Cancelled.
  void poll(int stage, uint64_t done, uint64_t total);

 private:
  void run_loop(const Loop &loop, LoopBody body);

  unsigned threads_;
  Monitor &monitor_;
};

}  // namespace vann::parallel

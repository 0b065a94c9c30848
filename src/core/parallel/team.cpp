// team.cpp — starts, watches and joins the threads of one loop.
// Helpers inherit a full signal mask; the starting thread keeps its own, because the server's
// handlers must run there for a cancel request to become visible to the monitor.
#include "core/parallel/team.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/no_postgres.hpp"

namespace vann::parallel {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(20);

// Unwinds a body after a stop; never leaves the team.
struct Stopped {};

// All signals blocked while it lives. A fault raised by a helper itself then ends the process
// instead of running a server handler, which could jump to the starting thread's stack.
class SignalBlock {
 public:
  SignalBlock() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~SignalBlock() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  SignalBlock(const SignalBlock &) = delete;
  SignalBlock &operator=(const SignalBlock &) = delete;

 private:
  sigset_t saved_;
};

}  // namespace

// The shared state of one running loop.
class Region {
 public:
  Region(const Loop &loop, LoopBody body, Monitor &monitor) noexcept
      : loop_(loop), body_(body), monitor_(monitor) {}

  void run(unsigned threads);
  void checkpoint(unsigned index);

 private:
  void start_helpers(unsigned count);
  void help(unsigned index) noexcept;
  void work(unsigned index) noexcept;
  void wait_for_helpers() noexcept;
  void fail(std::exception_ptr error) noexcept;
  void poll() noexcept;
  void poll_if_due() noexcept;
  bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }

  const Loop &loop_;
  LoopBody body_;
  Monitor &monitor_;
  std::vector<std::thread> helpers_;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> done_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable helper_ended_;
  unsigned helpers_running_ = 0;   // under mutex_
  std::exception_ptr error_;       // under mutex_
  bool cancelled_ = false;         // starting thread only
  Clock::time_point last_poll_{};  // starting thread only
};

void Region::run(unsigned threads) {
  poll();
  const size_t chunks = (loop_.items + loop_.chunk - 1) / loop_.chunk;
  const size_t useful = std::min<size_t>(threads, chunks);
  if (!stopped() && useful > 1) start_helpers(static_cast<unsigned>(useful) - 1);
  work(0);
  wait_for_helpers();
  for (std::thread &helper : helpers_) helper.join();
  if (!stopped()) poll();
  if (cancelled_) throw Cancelled{};
  if (error_) std::rethrow_exception(error_);
}

void Region::start_helpers(unsigned count) {
  helpers_.reserve(count);
  const SignalBlock block;
  for (unsigned i = 0; i < count; ++i) {
    {
      const std::lock_guard lock(mutex_);
      ++helpers_running_;
    }
    try {
      helpers_.emplace_back([this, i] { help(i + 1); });
    } catch (...) {
      // The loop is complete with any number of threads, so a refused one is not an error.
      const std::lock_guard lock(mutex_);
      --helpers_running_;
      return;
    }
  }
}

void Region::help(unsigned index) noexcept {
  work(index);
  const std::lock_guard lock(mutex_);
  --helpers_running_;
  helper_ended_.notify_one();
}

void Region::work(unsigned index) noexcept {
  Worker worker(*this, index);
  try {
    while (!stopped()) {
      const size_t begin = next_.fetch_add(loop_.chunk, std::memory_order_relaxed);
      if (begin >= loop_.items) return;
      const size_t end = begin + std::min(loop_.chunk, loop_.items - begin);
      body_(worker, begin, end);
      done_.fetch_add(end - begin, std::memory_order_relaxed);
      if (index == 0) poll_if_due();
    }
  } catch (const Stopped &) {
    // Whoever set the flag has recorded the reason.
  } catch (...) {
    fail(std::current_exception());
  }
}

void Region::wait_for_helpers() noexcept {
  std::unique_lock lock(mutex_);
  while (helpers_running_ > 0) {
    helper_ended_.wait_for(lock, kPollInterval);
    lock.unlock();
    poll_if_due();
    lock.lock();
  }
}

void Region::fail(std::exception_ptr error) noexcept {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  stop_.store(true, std::memory_order_relaxed);
}

void Region::poll() noexcept {
  last_poll_ = Clock::now();
  const uint64_t done = loop_.done_before + done_.load(std::memory_order_relaxed);
  monitor_.progress(loop_.stage, std::min(done, loop_.stage_total), loop_.stage_total);
  if (monitor_.cancelled()) {
    cancelled_ = true;
    stop_.store(true, std::memory_order_relaxed);
  }
}

void Region::poll_if_due() noexcept {
  if (!stopped() && Clock::now() - last_poll_ >= kPollInterval) poll();
}

void Region::checkpoint(unsigned index) {
  if (index == 0) poll_if_due();
  if (stopped()) throw Stopped{};
}

void Worker::checkpoint() { region_.checkpoint(index_); }

void Team::run_loop(const Loop &loop, LoopBody body) { Region(loop, body, monitor_).run(threads_); }

void Team::poll(int stage, uint64_t done, uint64_t total) {
  monitor_.progress(stage, done, total);
  if (monitor_.cancelled()) throw Cancelled{};
}

}  // namespace vann::parallel

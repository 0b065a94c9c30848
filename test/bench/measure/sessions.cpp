// sessions.cpp — threads that start together and hand on their first exception.
#include "bench/measure/sessions.hpp"

#include <barrier>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace vann::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

class Sessions {
 public:
  Sessions(SqlEngine &engine, size_t n) {
    for (size_t i = 0; i < n; ++i) connections_.push_back(engine.connect());
  }

  Connection &operator[](size_t i) { return *connections_[i]; }

  // Runs work(session) in a thread each; returns the seconds until all have ended.
  double run(const std::function<void(size_t)> &work) {
    std::barrier start(static_cast<ptrdiff_t>(connections_.size()) + 1);
    std::exception_ptr failure;
    std::mutex lock;
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < connections_.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        try {
          work(i);
        } catch (...) {
          const std::lock_guard guard(lock);
          if (!failure) failure = std::current_exception();
        }
      });
    }
    start.arrive_and_wait();
    const Clock::time_point started = Clock::now();
    threads.clear();  // joins
    if (failure) std::rethrow_exception(failure);
    return seconds_since(started);
  }

 private:
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace

double run_together(SqlEngine &engine, const std::vector<std::string> &statements) {
  Sessions sessions(engine, statements.size());
  return sessions.run([&](size_t i) { sessions[i].run(statements[i]); });
}

Throughput run_for(
    SqlEngine &engine, size_t n, double seconds, const std::function<void(Connection &)> &prepare,
    const std::function<void(Connection &, size_t session, size_t count)> &operation) {
  Sessions sessions(engine, n);
  for (size_t i = 0; i < n; ++i) prepare(sessions[i]);
  std::vector<std::vector<double>> times(n);
  const double elapsed = sessions.run([&](size_t i) {
    const Clock::time_point started = Clock::now();
    for (size_t count = 0; seconds_since(started) < seconds; ++count) {
      const Clock::time_point before = Clock::now();
      operation(sessions[i], i, count);
      times[i].push_back(seconds_since(before) * 1e6);
    }
  });
  Throughput sum;
  for (const std::vector<double> &own : times) {
    sum.microseconds.insert(sum.microseconds.end(), own.begin(), own.end());
  }
  sum.per_second = static_cast<double>(sum.microseconds.size()) / elapsed;
  return sum;
}

}  // namespace vann::bench

// memory_watch.hpp — peak memory of processes while something runs, by sampling /proc.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace vann::bench {

// Bytes of anonymous memory that a process has (RssAnon: without files, without shared memory). 0
// for a process that is gone.
size_t anonymous_bytes(int pid);

// Samples every few milliseconds from a thread of its own, between construction and stop().
class MemoryWatch {
 public:
  // `processes` is called from that thread at every few samples; what it throws is ignored.
  explicit MemoryWatch(std::function<std::vector<int>()> processes);
  ~MemoryWatch() { stop(); }
  void stop();

  // Peak of the sum over the processes.
  size_t private_bytes() const { return private_bytes_; }
  // Peak of the sum of PostgreSQL's dynamic shared memory segments (files in /dev/shm) that the
  // processes have mapped, each once. Shared buffers are not among them.
  size_t segment_bytes() const { return segment_bytes_; }

 private:
  void sample(const std::vector<int> &pids, bool segments);

  std::function<std::vector<int>()> processes_;
  size_t private_bytes_ = 0;
  size_t segment_bytes_ = 0;
  std::atomic<bool> stopping_ = false;
  std::jthread thread_;
};

}  // namespace vann::bench

// workers.hpp — a loop shared out to all processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace vann::bench {

// Calls work(first, last) for pieces of [0, n) of `step` numbers, from one thread per processor.
// `work` must not throw.
template <class Work>
void on_all_processors(size_t n, size_t step, const Work &work) {
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (size_t first; (first = next.fetch_add(step)) < n;)
        work(first, std::min(first + step, n));
    });
  }
}

}  // namespace vann::bench

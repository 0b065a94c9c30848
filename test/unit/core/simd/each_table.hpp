// each_table.hpp — runs a check on every kernel table that this CPU supports.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/simd/kernels.hpp"

namespace vann::simd {

// Calls check(const Kernels &) for every table, with the table's name in failure messages.
template <class Check>
void for_each_table(Check check) {
  const KernelList list = supported_kernels();
  for (size_t i = 0; i < list.count; i++) {
    SCOPED_TRACE(list.tables[i]->name);
    check(*list.tables[i]);
  }
}

// Every length up to 131 (all tails of all register widths and unrollings) and some larger ones.
inline std::vector<size_t> lengths() {
  std::vector<size_t> all;
  for (size_t n = 0; n <= 131; n++) all.push_back(n);
  for (size_t n : {255, 768, 1001, 1536, 2003, 16000}) all.push_back(n);
  return all;
}

using Random = std::mt19937;

// Uniform in [low, high]; the same on every platform.
inline int uniform(Random &random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

// Uniform multiples of 2^-16 in [-1, 1).
inline float uniform_float(Random &random) {
  return static_cast<float>(static_cast<int>(random() % 131072u) - 65536) * 0x1p-16f;
}

}  // namespace vann::simd

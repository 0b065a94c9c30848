// random.hpp — small seeded random numbers (SplitMix64, Steele et al. 2014). Every group of rows
// seeds its own stream, so no result depends on the order in which threads take work.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vann::build {

class Random {
 public:
  // Streams of different (seed, stream) pairs are independent for our purposes.
  constexpr Random(uint64_t seed, uint64_t stream) noexcept
      : state_(mix(seed + 0x9e3779b97f4a7c15u) ^ mix(stream + 0xd1b54a32d192ed03u)) {}

  constexpr uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    return mix(state_);
  }

  // Uniform in [0, bound) up to a bias below bound / 2^32; 0 < bound <= 2^32.
  constexpr size_t below(size_t bound) noexcept {
    return static_cast<size_t>(((next() >> 32) * static_cast<uint64_t>(bound)) >> 32);
  }

 private:
  static constexpr uint64_t mix(uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace vann::build

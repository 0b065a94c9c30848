// random.hpp — seeded random numbers (SplitMix64, Steele et al. 2014): the same with every compiler
// and library, and a stream of its own for each subvector, so that no result depends on threads.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace vann::codebook {

class Random {
 public:
  Random(uint64_t seed, uint64_t stream) noexcept
      : state_(mix(seed + 0x9e3779b97f4a7c15u) ^ mix(stream + 0xd1b54a32d192ed03u)) {}

  // Uniform in [0, 1).
  double uniform() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    return static_cast<double>(mix(state_) >> 11) * 0x1p-53;
  }
  // Uniform in [0, bound), bound > 0.
  size_t below(size_t bound) noexcept {
    return static_cast<size_t>(uniform() * static_cast<double>(bound));
  }
  // Gaussian of deviation 1 (Box and Muller 1958).
  double normal() noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  static uint64_t mix(uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace vann::codebook

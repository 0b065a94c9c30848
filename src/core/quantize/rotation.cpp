// rotation.cpp — the seeded rotation: sign flips, Hadamard transforms and Givens rotations.
// See README.md, "Rotation".
#include "core/quantize/rotation.hpp"

#include <array>
#include <bit>

#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

constexpr float kSqrtHalf = 0.70710678118654752f;

// The output function of splitmix64 (Steele, Lea and Flood 2014); advances `state`.
uint64_t splitmix64(uint64_t *state) noexcept {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Bit j of sixteen signs. A table, because shifts by a different count per lane need AVX2.
constexpr std::array<uint32_t, 16> kBits = [] {
  std::array<uint32_t, 16> bits{};
  for (uint32_t j = 0; j < 16; ++j) {
    bits[j] = uint32_t{1} << j;
  }
  return bits;
}();

// Flips by exclusive or of the sign bit: exact, and the same for zeros on every CPU.
void flip_signs(float *x, size_t n, const uint64_t *signs) noexcept {
  for (size_t first = 0; first < n; first += 16) {
    const uint32_t word = static_cast<uint32_t>(signs[first / 64] >> (first % 64)) & 0xffffu;
    for (size_t j = 0; j < 16; ++j) {
      const uint32_t flip = (word & kBits[j]) != 0 ? 0x80000000u : 0u;
      x[first + j] = std::bit_cast<float>(std::bit_cast<uint32_t>(x[first + j]) ^ flip);
    }
  }
}

// Mixes the two halves of x, 2 * half values, by a rotation of pi/4.
void mix_halves(float *x, size_t half) noexcept {
  for (size_t i = 0; i < half; ++i) {
    const float a = x[i];
    const float b = x[i + half];
    x[i] = (a + b) * kSqrtHalf;
    x[i + half] = (a - b) * kSqrtHalf;
  }
}

}  // namespace

void Rotation::apply(float *x) const noexcept { apply(x, simd::kernels()); }

void Rotation::apply(float *x, const simd::Kernels &kernels) const noexcept {
  const size_t words = (size_t{dims} + 63) / 64;
  const size_t power = std::bit_floor(size_t{dims});
  for (uint32_t round = 0; round < kRotationRounds; ++round) {
    flip_signs(x, dims, signs + round * words);
    const bool first = round % 2 == 0;
    kernels.hadamard(first ? x : x + (dims - power), power);
    // Not before both ends are transformed: a mix would hand half of what is still concentrated in
    // one coordinate to the end whose turn is over.
    if (!first && power != dims) {
      mix_halves(x, dims / 2);
    }
  }
}

void make_rotation_signs(uint64_t seed, uint32_t dims, uint64_t *signs) noexcept {
  uint64_t state = seed;
  for (size_t i = 0; i < rotation_words(dims); ++i) {
    signs[i] = splitmix64(&state);
  }
}

}  // namespace vann::quantize

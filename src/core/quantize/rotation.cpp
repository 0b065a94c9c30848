// rotation.cpp — the seeded rotation: sign flips, Hadamard transforms and Givens rotations.
// See README.md, "Rotation".
#include "core/quantize/rotation.hpp"

#include <bit>
#include <cstring>

#include "core/quantize/lanes.hpp"
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

// Bits of sixteen signs, four at a time. A table, because shifts by a different count per lane need
// AVX2.
constexpr Int4 kBits[4] = {{1 << 0, 1 << 1, 1 << 2, 1 << 3},
                           {1 << 4, 1 << 5, 1 << 6, 1 << 7},
                           {1 << 8, 1 << 9, 1 << 10, 1 << 11},
                           {1 << 12, 1 << 13, 1 << 14, 1 << 15}};

// Flips by exclusive or of the sign bit: exact, and the same for zeros on every CPU. Written with
// vector types, since compilers unroll the plain loop into scalar steps.
void flip_signs(float *x, size_t n, const uint64_t *signs) noexcept {
  const Int4 sign_bit = std::bit_cast<Int4>(splat(-0.0f));
  for (size_t first = 0; first < n; first += 16) {
    const auto word = static_cast<int32_t>(signs[first / 64] >> (first % 64) & 0xffffu);
    const Int4 words = {word, word, word, word};
    for (size_t i = 0; i < 4; ++i) {
      const Int4 flip = ((words & kBits[i]) == kBits[i]) & sign_bit;
      const Int4 flipped = std::bit_cast<Int4>(load4(x + first + 4 * i)) ^ flip;
      std::memcpy(x + first + 4 * i, &flipped, sizeof flipped);
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

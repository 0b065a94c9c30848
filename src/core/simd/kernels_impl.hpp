// kernels_impl.hpp — the float kernels, written once over "lanes" and instantiated by every
// kernels_<isa>.cpp with a policy class of its own.
//
// A policy L (always in an unnamed namespace, so that no instantiation has external linkage and the
// linker cannot replace baseline code by code that needs AVX) provides:
//   Batch                     a register of L::kWidth floats with + - *
//   load(p), load_part(p, n)  from const float * or from const uint16_t * (IEEE half); load_part
//                             reads exactly n < kWidth elements and fills up with zero
//   store(p, x)               to float *
//   fma(a, b, c)              a * b + c, fused where the CPU can
//   abs(x), sum(x)            absolute values; sum over the lanes
//   exchange<h>(x)            lane i of the result is lane i ^ h of x, h = 1, 2, 4 ... kWidth / 2
// See README.md, "Float kernels" and "Hadamard".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/kernels.hpp"

namespace vann::simd {

// ---- Distances -----------------------------------------------------------------------------

// Folds step(acc, x, y) over all elements. Every step needs two loads, of which CPUs do two to
// three per cycle, so that four chains cover the latency of the fused multiply-add (four cycles).
template <class L, class Element, class Step>
float fold(const Element *a, const Element *b, size_t n, Step step) noexcept {
  constexpr size_t kWidth = L::kWidth;
  auto acc0 = L::zero();
  auto acc1 = acc0, acc2 = acc0, acc3 = acc0;
  size_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    acc0 = step(acc0, L::load(a + i), L::load(b + i));
    acc1 = step(acc1, L::load(a + i + kWidth), L::load(b + i + kWidth));
    acc2 = step(acc2, L::load(a + i + 2 * kWidth), L::load(b + i + 2 * kWidth));
    acc3 = step(acc3, L::load(a + i + 3 * kWidth), L::load(b + i + 3 * kWidth));
  }
  for (; i + kWidth <= n; i += kWidth) acc0 = step(acc0, L::load(a + i), L::load(b + i));
  if (i < n) acc1 = step(acc1, L::load_part(a + i, n - i), L::load_part(b + i, n - i));
  return L::sum((acc0 + acc1) + (acc2 + acc3));
}

template <class L, class Element>
float l2_squared(const Element *a, const Element *b, size_t n) noexcept {
  return fold<L>(a, b, n, [](auto acc, auto x, auto y) {
    const auto difference = x - y;
    return L::fma(difference, difference, acc);
  });
}

template <class L, class Element>
float dot(const Element *a, const Element *b, size_t n) noexcept {
  return fold<L>(a, b, n, [](auto acc, auto x, auto y) { return L::fma(x, y, acc); });
}

template <class L, class Element>
float l1(const Element *a, const Element *b, size_t n) noexcept {
  return fold<L>(a, b, n, [](auto acc, auto x, auto y) { return acc + L::abs(x - y); });
}

template <class L>
struct DotNormsSum {
  typename L::Batch dot = L::zero();
  typename L::Batch a_squared = L::zero();
  typename L::Batch b_squared = L::zero();

  void add(typename L::Batch x, typename L::Batch y) noexcept {
    dot = L::fma(x, y, dot);
    a_squared = L::fma(x, x, a_squared);
    b_squared = L::fma(y, y, b_squared);
  }
};

// Three sums per pair of loads: two sets make six chains, enough for the latency.
template <class L, class Element>
DotNorms dot_norms(const Element *a, const Element *b, size_t n) noexcept {
  constexpr size_t kWidth = L::kWidth;
  DotNormsSum<L> even;
  DotNormsSum<L> odd;
  size_t i = 0;
  for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
    even.add(L::load(a + i), L::load(b + i));
    odd.add(L::load(a + i + kWidth), L::load(b + i + kWidth));
  }
  if (i + kWidth <= n) {
    even.add(L::load(a + i), L::load(b + i));
    i += kWidth;
  }
  if (i < n) odd.add(L::load_part(a + i, n - i), L::load_part(b + i, n - i));
  return {L::sum(even.dot + odd.dot), L::sum(even.a_squared + odd.a_squared),
          L::sum(even.b_squared + odd.b_squared)};
}

// ---- Hadamard ------------------------------------------------------------------------------
// Stage h = 1, 2, 4 ... n / 2 replaces each pair (x[i], x[i + h]) by sum and difference. Each value
// is one addition or subtraction of two values of the stage before, whatever the register width,
// hence the same bits everywhere.

// Sign of lane i in stage 2^s: - where bit s of i is set.
inline constexpr float kStageSigns[4][16] = {
    {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1},
    {1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1},
    {1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1},
    {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1},
};

// Stage h inside a register: partner plus or minus own value. The product with +-1 is exact, so
// that fusing it with the addition changes no bit.
template <class L, size_t h>
typename L::Batch stage_in_register(typename L::Batch x, const float *signs) noexcept {
  return L::fma(x, L::load(signs), L::template exchange<h>(x));
}

template <class L>
typename L::Batch stages_in_register(typename L::Batch x) noexcept {
  x = stage_in_register<L, 1>(x, kStageSigns[0]);
  x = stage_in_register<L, 2>(x, kStageSigns[1]);
  if constexpr (L::kWidth > 4) x = stage_in_register<L, 4>(x, kStageSigns[2]);
  if constexpr (L::kWidth > 8) x = stage_in_register<L, 8>(x, kStageSigns[3]);
  return x;
}

// Stages h and 2 h on four registers h apart.
template <class L>
struct FourRegisters {
  typename L::Batch a, b, c, d;

  void two_stages() noexcept {
    const auto s0 = a + b, s1 = a - b, s2 = c + d, s3 = c - d;
    a = s0 + s2;
    b = s1 + s3;
    c = s0 - s2;
    d = s1 - s3;
  }

  // Stores the products with `scale`.
  void store(float *x, size_t h, typename L::Batch scale) const noexcept {
    L::store(x, a * scale);
    L::store(x + h, b * scale);
    L::store(x + 2 * h, c * scale);
    L::store(x + 3 * h, d * scale);
  }
};

// 1 / sqrt(n), correctly rounded, for a power of two.
template <class L>
float hadamard_scale(size_t n) noexcept {
  float scale = 1.0f;
  for (; n >= 4; n /= 4) scale *= 0.5f;
  return n == 2 ? scale * 0x1.6a09e6p-1f : scale;
}

// Fewer elements than four registers hold: the definition as it stands.
template <class L>
void hadamard_small(float *x, size_t n) noexcept {
  for (size_t h = 1; h < n; h *= 2) {
    for (size_t i = 0; i < n; i++) {
      if ((i & h) != 0) continue;
      const float a = x[i], b = x[i + h];
      x[i] = a + b;
      x[i + h] = a - b;
    }
  }
  const float scale = hadamard_scale<L>(n);
  for (size_t i = 0; i < n; i++) x[i] *= scale;
}

// Two stages per pass: half the loads and stores of the definition, and no more registers than
// any ISA has. The last pass scales; the others multiply by one, which changes no bit.
template <class L>
void hadamard(float *x, size_t n) noexcept {
  constexpr size_t kWidth = L::kWidth;
  if (n < 4 * kWidth) return hadamard_small<L>(x, n);
  const float last_scale = hadamard_scale<L>(n);

  size_t h = 4 * kWidth;
  auto scale = L::broadcast(h == n ? last_scale : 1.0f);
  for (size_t i = 0; i < n; i += h) {
    FourRegisters<L> r = {stages_in_register<L>(L::load(x + i)),
                          stages_in_register<L>(L::load(x + i + kWidth)),
                          stages_in_register<L>(L::load(x + i + 2 * kWidth)),
                          stages_in_register<L>(L::load(x + i + 3 * kWidth))};
    r.two_stages();
    r.store(x + i, kWidth, scale);
  }
  for (; 4 * h <= n; h *= 4) {
    scale = L::broadcast(4 * h == n ? last_scale : 1.0f);
    for (size_t block = 0; block < n; block += 4 * h) {
      for (size_t i = block; i < block + h; i += kWidth) {
        FourRegisters<L> r = {L::load(x + i), L::load(x + i + h), L::load(x + i + 2 * h),
                              L::load(x + i + 3 * h)};
        r.two_stages();
        r.store(x + i, h, scale);
      }
    }
  }
  if (h < n) {  // one stage is left, h == n / 2
    scale = L::broadcast(last_scale);
    for (size_t i = 0; i < h; i += kWidth) {
      const auto a = L::load(x + i), b = L::load(x + i + h);
      L::store(x + i, (a + b) * scale);
      L::store(x + i + h, (a - b) * scale);
    }
  }
}

// ---- Subset sums ---------------------------------------------------------------------------

// The body is the compiler's own vectors: one register of 16 sums where it has 32 bytes, two
// elsewhere. `L` only gives the instantiation internal linkage.
template <class L>
void subset_sums(const int16_t *values, size_t n, uint8_t *table) noexcept {
  using Short16 [[gnu::vector_size(32)]] = int16_t;
  using Byte16 [[gnu::vector_size(16)]] = uint8_t;
  constexpr Short16 kMember[4] = {
      {0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1},
      {0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1},
      {0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1},
      {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1},
  };
  for (size_t i = 0; i < n; i += 4) {
    int32_t negative = 0;
    Short16 sums = {};
    for (size_t k = 0; k < 4; ++k) {
      const int16_t value = values[i + k];
      negative += value < 0 ? value : 0;
      sums += (Short16{} + value) & kMember[k];
    }
    sums += static_cast<int16_t>((1 << (kSubsetFraction - 1)) - negative);
    const Byte16 entries = __builtin_convertvector(sums >> kSubsetFraction, Byte16);
    // [block][half][nibble][byte in half], see kernels.hpp.
    const size_t byte = i / 8 % 8;
    const size_t group = ((i / kCodeBlock * 2 + byte / 4) * 2 + i / 4 % 2) * 4 + byte % 4;
    __builtin_memcpy(table + group * 16, &entries, sizeof entries);
  }
}

}  // namespace vann::simd

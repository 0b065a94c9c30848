// list_impl.hpp — kernels for blocks of lists' rows, written once and instantiated by every
// kernels_<isa>.cpp with its policy for residuals (residual_impl.hpp): the compiler's vectors, nothing
// fused, the same bits everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/simd/kernels.hpp"

namespace vann::simd {

template <class R>
typename R::Floats load_bfloat16(const uint16_t *p) noexcept {
  typedef uint16_t Halves __attribute__((vector_size(2 * R::kWidth)));
  Halves halves;
  __builtin_memcpy(&halves, p, sizeof halves);
  const auto wide = __builtin_convertvector(halves, typename R::Ints) << 16;
  typename R::Floats value;
  __builtin_memcpy(&value, &wide, sizeof value);
  return value;
}

template <class R>
uint32_t bound32(const uint32_t *sums, const uint16_t *scales, const uint16_t *offsets,
                 const uint16_t *errors, const BoundTerms &terms, float *estimates,
                 float *deviations) noexcept {
  using Floats = typename R::Floats;
  constexpr float kMax = std::numeric_limits<float>::max();
  const BoundTerms t = terms;  // a copy that the stores cannot alias
  uint32_t below = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < kScanWidth; i += R::kWidth) {
    typename R::Ints whole;
    __builtin_memcpy(&whole, sums + i, sizeof whole);
    const Floats scale = load_bfloat16<R>(scales + i);
    const Floats product = __builtin_convertvector(whole, Floats) * t.gain + t.shift;
    const Floats raw = (load_bfloat16<R>(offsets + i) + t.base) - scale * product;
    const Floats estimate = R::min(R::max(raw, Floats{} - kMax), Floats{} + kMax);
    const Floats code = load_bfloat16<R>(errors + i) * t.length;
    const Floats rounding = scale * t.rounding;
    const Floats larger = R::max(code, rounding);
    const Floats stated = R::min(R::max((code + rounding) * 0.75f, larger), Floats{} + kMax);
    below |= R::signs((estimate - stated * t.deviations) < t.limit) << i;
    __builtin_memcpy(estimates + i, &estimate, sizeof estimate);
    __builtin_memcpy(deviations + i, &stated, sizeof stated);
  }
  return below;
}

// Eight rows at a time, whose sums stay in registers.
template <class R>
void lookup32(const uint8_t *codes, const uint8_t *table, size_t subvectors,
              uint32_t *sums) noexcept {
  constexpr size_t kRows = 8;
  for (size_t first = 0; first < kScanWidth; first += kRows) {
    uint32_t own[kRows] = {};
    for (size_t i = 0; i < subvectors; ++i) {
#pragma GCC unroll 8
      for (size_t k = 0; k < kRows; ++k) {
        own[k] += table[i * 256 + codes[i * kScanWidth + first + k]];
      }
    }
    __builtin_memcpy(sums + first, own, sizeof own);
  }
}

}  // namespace vann::simd

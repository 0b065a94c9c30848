// tables.hpp — what the per-ISA files export to dispatch.cpp, and nothing else. Each table is
// constant-initialized, so dispatch may read it at any time.
#pragma once

#include "core/simd/kernels.hpp"

namespace vann::simd {

extern const Kernels kGenericKernels;

#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;    // needs AVX2, FMA, F16C, BMI2
extern const Kernels kAvx512Kernels;  // needs AVX-512 F, BW, DQ, VL, VNNI and those of AVX2

// The kernels that AVX-512 VBMI improves; its table is kAvx512Kernels with these entries replaced.
void scan32_avx512vbmi(const uint8_t *tiles, const uint8_t *table, size_t dims,
                       uint32_t *sums) noexcept;
void lookup32_avx512vbmi(const uint8_t *codes, const uint8_t *table, size_t subvectors,
                         uint32_t *sums) noexcept;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
#endif

}  // namespace vann::simd

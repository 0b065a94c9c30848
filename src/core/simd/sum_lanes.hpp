// sum_lanes.hpp — xsimd's horizontal sum, whose name changed. Include it only in kernels_<isa>.cpp.
#pragma once

#include <xsimd/xsimd.hpp>

namespace vann::simd {

// The sum over the lanes of x. The batch's type names its instruction set, so that no two files share
// an instantiation.
template <class Batch>
float sum_lanes(Batch x) noexcept {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::reduce_add(x);
#else
  return xsimd::hadd(x);
#endif
}

}  // namespace vann::simd

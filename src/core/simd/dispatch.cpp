// dispatch.cpp — chooses the table of kernels for the CPU the process runs on.
#include <cstddef>

#include "core/simd/tables.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::simd {
namespace {

class Dispatch {
 public:
  Dispatch() noexcept {
#if defined(__x86_64__)
    add_x86();
#elif defined(__aarch64__)
    add(kNeonKernels);
#endif
    add(kGenericKernels);
  }

  KernelList list() const noexcept { return {tables_, count_}; }

 private:
  static constexpr size_t kMaxTables = 4;

  void add(const Kernels &table) noexcept { tables_[count_++] = &table; }

#if defined(__x86_64__)
  // The builtin also asks whether the operating system saves the registers.
  void add_x86() noexcept {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("f16c") || !__builtin_cpu_supports("bmi2")) {
      return;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
      if (__builtin_cpu_supports("avx512vbmi")) {
        vbmi_ = kAvx512Kernels;
        vbmi_.name = "avx512vbmi";
        vbmi_.scan32 = scan32_avx512vbmi;
        vbmi_.lookup32 = lookup32_avx512vbmi;
        add(vbmi_);
      }
      add(kAvx512Kernels);
    }
    add(kAvx2Kernels);
  }

  Kernels vbmi_ = {};
#endif

  const Kernels *tables_[kMaxTables] = {};
  size_t count_ = 0;
};

const Dispatch &dispatch() noexcept {
  static const Dispatch instance;
  return instance;
}

}  // namespace

KernelList supported_kernels() noexcept { return dispatch().list(); }

const Kernels &kernels() noexcept { return *dispatch().list().tables[0]; }

}  // namespace vann::simd

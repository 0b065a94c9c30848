// simd_bench.cpp — every kernel of every table that this CPU supports, on data in the first-level
// cache (products_i8: second). Names are kernel/table/dims. bytes_per_second counts what the kernel
// reads; items_per_second counts multiply-accumulates (products_i8), table lookups (scan32) or
// elements.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/simd/kernels.hpp"

namespace vann::simd {
namespace {

constexpr size_t kDims[] = {128, 768, 1536};

// Reads and items of one call.
struct Work {
  size_t bytes;
  size_t items;
};

// Registers `call` (a callable that runs the kernel once) under kernel/table/dims.
template <class Call>
void add(const char *kernel, const Kernels &k, size_t dims, Work work, Call call) {
  const std::string name = std::string(kernel) + "/" + k.name + "/" + std::to_string(dims);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State &state) mutable {
    for (auto _ : state) call();
    const auto calls = static_cast<double>(state.iterations());
    state.SetBytesProcessed(static_cast<int64_t>(calls * static_cast<double>(work.bytes)));
    state.SetItemsProcessed(static_cast<int64_t>(calls * static_cast<double>(work.items)));
  });
}

template <class Element>
std::vector<Element> ramp(size_t n) {
  std::vector<Element> values(n);
  for (size_t i = 0; i < n; i++) values[i] = static_cast<Element>(i * 37 % 101);
  return values;
}

template <class Element, class Kernel>
void add_distance(const char *name, const Kernels &k, size_t dims, Kernel kernel) {
  add(name, k, dims, {2 * dims * sizeof(Element), dims},
      [a = ramp<Element>(dims), b = ramp<Element>(dims), dims, kernel] {
        benchmark::DoNotOptimize(kernel(a.data(), b.data(), dims));
      });
}

void add_distances(const Kernels &k, size_t dims) {
  add_distance<float>("l2_squared_f32", k, dims, k.l2_squared_f32);
  add_distance<float>("dot_f32", k, dims, k.dot_f32);
  add_distance<float>("l1_f32", k, dims, k.l1_f32);
  add_distance<float>("dot_norms_f32", k, dims, k.dot_norms_f32);
  add_distance<uint16_t>("l2_squared_f16", k, dims, k.l2_squared_f16);
  add_distance<uint16_t>("dot_f16", k, dims, k.dot_f16);
  add_distance<uint16_t>("l1_f16", k, dims, k.l1_f16);
  add_distance<uint16_t>("dot_norms_f16", k, dims, k.dot_norms_f16);
  add_distance<int8_t>("dot_i8", k, dims, k.dot_i8);
}

void add_conversions(const Kernels &k, size_t dims) {
  add("f16_to_f32", k, dims, {2 * dims, dims},
      [in = ramp<uint16_t>(dims), out = std::vector<float>(dims), dims, &k]() mutable {
        k.f16_to_f32(in.data(), out.data(), dims);
        benchmark::ClobberMemory();
      });
  add("f32_to_f16", k, dims, {4 * dims, dims},
      [in = ramp<float>(dims), out = std::vector<uint16_t>(dims), dims, &k]() mutable {
        k.f32_to_f16(in.data(), out.data(), dims);
        benchmark::ClobberMemory();
      });
}

using CodeDot = int32_t (*)(const uint8_t *, const int8_t *, size_t) noexcept;

void add_code(const char *name, const Kernels &k, size_t dims, size_t bits, CodeDot kernel) {
  add(name, k, dims, {dims * bits / 8 + dims, dims},
      [code = ramp<uint8_t>(dims * bits / 8), query = ramp<int8_t>(dims), dims, kernel] {
        benchmark::DoNotOptimize(kernel(code.data(), query.data(), dims));
      });
}

void add_scan(const Kernels &k, size_t dims) {
  add("scan32", k, dims, {8 * dims, kScanWidth * dims / 4},
      [tiles = ramp<uint8_t>(4 * dims), table = ramp<uint8_t>(4 * dims),
       sums = std::vector<uint32_t>(kScanWidth), dims, &k]() mutable {
        k.scan32(tiles.data(), table.data(), dims, sums.data());
        benchmark::ClobberMemory();
      });
}

// A subvector per eight dimensions.
void add_lookup(const Kernels &k, size_t dims) {
  const size_t subvectors = dims / 8;
  add("lookup32", k, dims, {subvectors * (256 + kScanWidth), kScanWidth * subvectors},
      [codes = ramp<uint8_t>(subvectors * kScanWidth), table = ramp<uint8_t>(subvectors * 256),
       sums = std::vector<uint32_t>(kScanWidth), subvectors, &k]() mutable {
        k.lookup32(codes.data(), table.data(), subvectors, sums.data());
        benchmark::ClobberMemory();
      });
}

// One size: it has no dimensions.
void add_bound(const Kernels &k) {
  add("bound32", k, kScanWidth, {10 * kScanWidth, kScanWidth},
      [sums = ramp<uint32_t>(kScanWidth), scales = std::vector<uint16_t>(kScanWidth, 0x3f80),
       estimates = std::vector<float>(kScanWidth), errors = std::vector<float>(kScanWidth),
       &k]() mutable {
        benchmark::DoNotOptimize(k.bound32(sums.data(), scales.data(), scales.data(), scales.data(),
                                           {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.9f, 1.0f},
                                           estimates.data(), errors.data()));
        benchmark::ClobberMemory();
      });
}

// A leaf of a bulk build: all pairs of 512 vectors.
void add_products(const Kernels &k, size_t dims) {
  constexpr size_t kRows = 512;
  const auto rows = ramp<int8_t>(kRows * dims);
  std::vector<int8_t> packed(packed_i8_bytes(kRows, dims));
  add("pack_i8", k, dims, {kRows * dims, kRows * dims}, [=, &k]() mutable {
    k.pack_i8(rows.data(), dims, kRows, dims, packed.data());
    benchmark::ClobberMemory();
  });
  k.pack_i8(rows.data(), dims, kRows, dims, packed.data());
  add("products_i8", k, dims, {2 * kRows * dims, kRows * kRows * dims},
      [=, &k, out = std::vector<int32_t>(kRows * kRows)]() mutable {
        k.products_i8(rows.data(), dims, kRows, packed.data(), kRows, dims, out.data(), kRows);
        benchmark::ClobberMemory();
      });
}

// Length: the power of two at or below the dimensions, as the rotation uses it.
void add_hadamard(const Kernels &k, size_t dims) {
  size_t n = 1;
  while (2 * n <= dims) n *= 2;
  add("hadamard", k, n, {4 * n, n}, [x = std::vector<float>(n), n, &k]() mutable {
    k.hadamard(x.data(), n);
    benchmark::ClobberMemory();
  });
}

const bool kRegistered = [] {
  const KernelList list = supported_kernels();
  for (size_t i = 0; i < list.count; i++) {
    const Kernels &k = *list.tables[i];
    add_bound(k);
    for (size_t dims : kDims) {
      add_distances(k, dims);
      add_conversions(k, dims);
      add_code("dot_u8_i8", k, dims, 8, k.dot_u8_i8);
      add_code("dot_u4_i8", k, dims, 4, k.dot_u4_i8);
      add_code("dot_u2_i8", k, dims, 2, k.dot_u2_i8);
      add_code("dot_u1_i8", k, dims, 1, k.dot_u1_i8);
      add_scan(k, dims);
      add_lookup(k, dims);
      add_products(k, dims);
      add_hadamard(k, dims);
    }
  }
  return true;
}();

}  // namespace
}  // namespace vann::simd

// list_bench.cpp — one block of 32 rows scanned, and one row refined, with each codec, on data in the
// first-level cache. Names are function/codec/dims; rabitq has a bit per dimension, pq4 a subvector per
// four, pq8 one per eight.
#include <benchmark/benchmark.h>

#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "core/quantize/list_code.hpp"

namespace vann::quantize {
namespace {

constexpr const char *kCodecs[] = {"rabitq", "pq4", "pq8"};

struct AlignedDelete {
  void operator()(uint8_t *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

std::vector<float> gaussian(std::mt19937 &generator, size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float &value : values) value = normal(generator);
  return values;
}

// A block of rows around an anchor at zero, with codebooks of random entries.
struct Rows {
  Rows(Codec codec, uint32_t dims)
      : shape(shape_of(codec, dims)), random(dims),
        codebooks(gaussian(random, codebook_floats(shape))), query_vector(gaussian(random, dims)),
        memory(new (std::align_val_t{64}) uint8_t[list_query_bytes(shape)]),
        tiles(block_code_bytes(shape)), planes(refine_code_bytes(shape)) {
    const std::vector<float> anchor(dims);
    std::vector<float> scratch(encode_scratch_floats(shape));
    std::vector<uint8_t> code(scan_code_bytes(shape));
    for (size_t slot = 0; slot < simd::kScanWidth; ++slot) {
      const std::vector<float> x = gaussian(random, dims);
      const ScanFactors own =
          encode_scan(model(), anchor.data(), x.data(), scratch.data(), code.data());
      store_code(shape, tiles.data(), slot, code.data());
      scales[slot] = own.scale;
      offsets[slot] = own.offset;
      errors[slot] = own.error;
      factors = encode_refine(shape, anchor.data(), x.data(), scratch.data(), planes.data());
    }
    query = prepare_list_query(model(), query_vector.data(), memory.get());
  }
  static ListShape shape_of(Codec codec, uint32_t dims) {
    const uint32_t subvectors = codec == Codec::kRabitq ? 0
                                : codec == Codec::kPq4  ? dims / 4
                                                        : dims / 8;
    const uint32_t scan = codec == Codec::kRabitq ? dims : scan_dims_of(codec, subvectors);
    return {dims, codec, subvectors, scan, 6, Geometry::kL2};
  }
  ListModel model() const { return {shape, codebooks.empty() ? nullptr : codebooks.data()}; }

  ListShape shape;
  std::mt19937 random;
  std::vector<float> codebooks;
  std::vector<float> query_vector;
  std::unique_ptr<uint8_t[], AlignedDelete> memory;
  std::vector<uint8_t> tiles;
  std::vector<uint8_t> planes;
  uint16_t scales[simd::kScanWidth];
  uint16_t offsets[simd::kScanWidth];
  uint16_t errors[simd::kScanWidth];
  RefineFactors factors;
  ListQuery query;
};

void scan(benchmark::State &state, Codec codec, uint32_t dims) {
  const Rows rows(codec, dims);
  BlockEstimates out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(scan_block(rows.query, {1.0f, 1.0f}, rows.tiles.data(), rows.scales,
                                        rows.offsets, rows.errors, 1.9f, 1.0f, &out));
    benchmark::ClobberMemory();
  }
}

void refine(benchmark::State &state, Codec codec, uint32_t dims) {
  const Rows rows(codec, dims);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        refine_row(rows.query, {1.0f, 1.0f}, rows.planes.data(), rows.factors));
  }
}

void encode(benchmark::State &state, Codec codec, uint32_t dims) {
  const Rows rows(codec, dims);
  const std::vector<float> anchor(dims);
  std::vector<float> scratch(encode_scratch_floats(rows.shape));
  std::vector<uint8_t> code(scan_code_bytes(rows.shape));
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_scan(rows.model(), anchor.data(), rows.query_vector.data(),
                                         scratch.data(), code.data()));
    benchmark::ClobberMemory();
  }
}

void encode_longer(benchmark::State &state, Codec codec, uint32_t dims) {
  const Rows rows(codec, dims);
  const std::vector<float> anchor(dims);
  std::vector<float> scratch(encode_scratch_floats(rows.shape));
  std::vector<uint8_t> planes(refine_code_bytes(rows.shape));
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_refine(rows.shape, anchor.data(), rows.query_vector.data(),
                                           scratch.data(), planes.data()));
    benchmark::ClobberMemory();
  }
}

void prepare(benchmark::State &state, Codec codec, uint32_t dims) {
  const Rows rows(codec, dims);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        prepare_list_query(rows.model(), rows.query_vector.data(), rows.memory.get()));
    benchmark::ClobberMemory();
  }
}

void add(const char *function, void (*run)(benchmark::State &, Codec, uint32_t), Codec codec,
         uint32_t dims) {
  std::string name = function;
  name += '/';
  name += kCodecs[static_cast<size_t>(codec)];
  name += '/';
  name += std::to_string(dims);
  benchmark::RegisterBenchmark(name.c_str(), run, codec, dims);
}

const bool kRegistered = [] {
  for (const uint32_t dims : {128u, 768u}) {
    for (const Codec codec : {Codec::kRabitq, Codec::kPq4, Codec::kPq8}) {
      add("scan_block", scan, codec, dims);
      add("encode_scan", encode, codec, dims);
      add("prepare_list_query", prepare, codec, dims);
    }
    add("refine_row", refine, Codec::kRabitq, dims);
    add("encode_refine", encode_longer, Codec::kRabitq, dims);
  }
  return true;
}();

}  // namespace
}  // namespace vann::quantize

// training_rows.hpp — rows with a structure that codebooks can learn, and what codes make of them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "core/base/bfloat16.hpp"
#include "core/parallel/monitor.hpp"
#include "core/quantize/list_code.hpp"
#include "core/quantize/rotation.hpp"

namespace vann::codebook {

class SilentMonitor : public parallel::Monitor {
 public:
  bool cancelled() noexcept override { return false; }
  void progress(int, uint64_t, uint64_t) noexcept override {}
};

// Rows of a matrix, row after row.
struct Rows {
  Rows(size_t n, size_t d) : dims(d), values(n * d) {}
  size_t count() const { return values.size() / dims; }
  float *at(size_t i) { return &values[i * dims]; }
  const float *at(size_t i) const { return &values[i * dims]; }
  size_t dims;
  std::vector<float> values;
};

inline Rows gaussian_rows(size_t count, size_t dims, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal(0.0f, 1.0f / std::sqrt(static_cast<float>(dims)));
  Rows rows(count, dims);
  for (float &value : rows.values) value = normal(generator);
  return rows;
}

// Each four dimensions lie near one of twelve points, chosen anew for each row.
inline Rows clustered_rows(size_t count, size_t dims, uint64_t seed) {
  constexpr size_t kPoints = 12;
  const Rows points = gaussian_rows(kPoints, dims, 1);
  Rows rows = gaussian_rows(count, dims, seed);
  std::mt19937_64 generator(seed + 1);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < dims; k += 4) {
      const size_t chosen = generator() % kPoints;
      for (size_t j = k; j < k + 4; ++j)
        rows.at(i)[j] = points.at(chosen)[j] + 0.1f * rows.at(i)[j];
    }
  }
  return rows;
}

// Variance falls by exp(12) from the first direction to the last; the directions are random.
inline Rows decaying_rows(size_t count, size_t dims, uint64_t seed) {
  std::vector<uint64_t> signs(quantize::rotation_words(static_cast<uint32_t>(dims)));
  quantize::make_rotation_signs(2, static_cast<uint32_t>(dims), signs.data());
  const quantize::Rotation rotation = {static_cast<uint32_t>(dims), signs.data()};
  Rows rows = gaussian_rows(count, dims, seed);
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < dims; ++k) {
      rows.at(i)[k] *= std::exp(-6.0f * static_cast<float>(k) / static_cast<float>(dims));
    }
    rotation.apply(rows.at(i));
  }
  return rows;
}

struct AlignedDelete {
  void operator()(uint8_t *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

// Scan codes of rows against an anchor at zero, and their estimates for one query.
struct CodedRows {
  CodedRows(const quantize::ListModel &m, const Rows &rows) : model(m), blocks(rows.count() / 32) {
    const std::vector<float> anchor(rows.dims);
    std::vector<float> scratch(quantize::encode_scratch_floats(m.shape));
    std::vector<uint8_t> code(quantize::scan_code_bytes(m.shape));
    for (size_t b = 0; b < blocks.size(); ++b) {
      blocks[b].tiles.resize(quantize::block_code_bytes(m.shape));
      for (size_t slot = 0; slot < 32; ++slot) {
        const quantize::ScanFactors own = quantize::encode_scan(
            m, anchor.data(), rows.at(b * 32 + slot), scratch.data(), code.data());
        quantize::store_code(m.shape, blocks[b].tiles.data(), slot, code.data());
        blocks[b].scales[slot] = own.scale;
        blocks[b].offsets[slot] = own.offset;
        blocks[b].errors[slot] = own.error;
      }
    }
  }

  // Estimated distances to all rows; `errors`, if any, takes their standard deviations.
  std::vector<float> estimates(const float *q, std::vector<float> *errors = nullptr) const {
    const std::unique_ptr<uint8_t[], AlignedDelete> memory(
        new (std::align_val_t{64}) uint8_t[quantize::list_query_bytes(model.shape)]);
    const quantize::ListQuery query = quantize::prepare_list_query(model, q, memory.get());
    const float norm = query.norm_squared;
    const bool l2 = model.shape.geometry == quantize::Geometry::kL2;
    std::vector<float> out;
    for (const Block &block : blocks) {
      quantize::BlockEstimates own;
      quantize::scan_block(query, {l2 ? norm : 0.0f, std::sqrt(norm)}, block.tiles.data(),
                           block.scales, block.offsets, block.errors, 1.9f, 0.0f, &own);
      out.insert(out.end(), own.estimates, own.estimates + 32);
      if (errors != nullptr) errors->insert(errors->end(), own.errors, own.errors + 32);
    }
    return out;
  }

  struct Block {
    std::vector<uint8_t> tiles;
    uint16_t scales[32];
    uint16_t offsets[32];
    uint16_t errors[32];
  };
  quantize::ListModel model;
  std::vector<Block> blocks;
};

inline double squared_distance(const float *a, const float *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return sum;
}

// Mean squared error of estimated squared distances.
inline double mean_squared_error(const CodedRows &coded, const Rows &rows, const Rows &queries) {
  double sum = 0;
  for (size_t i = 0; i < queries.count(); ++i) {
    const std::vector<float> estimates = coded.estimates(queries.at(i));
    for (size_t k = 0; k < estimates.size(); ++k) {
      const double error = estimates[k] - squared_distance(queries.at(i), rows.at(k), rows.dims);
      sum += error * error;
    }
  }
  return sum / static_cast<double>(queries.count() * rows.count());
}

}  // namespace vann::codebook

// list_rows.hpp — a block of rows coded against one anchor, and a query of it, for tests of list
// codes.
#pragma once

#include <memory>
#include <new>
#include <vector>

#include "core/quantize/list_code.hpp"
#include "samples.hpp"

namespace vann::quantize {

struct AlignedDelete {
  void operator()(uint8_t *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

struct PreparedListQuery {
  PreparedListQuery(const ListModel &model, const std::vector<float> &q)
      : memory(new (std::align_val_t{64}) uint8_t[list_query_bytes(model.shape)]),
        prepared(prepare_list_query(model, q.data(), memory.get())) {}
  std::unique_ptr<uint8_t[], AlignedDelete> memory;
  ListQuery prepared;
};

// 32 rows; those that are not set are zero.
struct ListBlock {
  explicit ListBlock(const ListModel &m) : model(m), tiles(block_code_bytes(m.shape)) {}

  void set(size_t slot, const std::vector<float> &anchor, const std::vector<float> &x) {
    std::vector<float> scratch(encode_scratch_floats(model.shape));
    std::vector<uint8_t> code(scan_code_bytes(model.shape));
    const ScanFactors own =
        encode_scan(model, anchor.data(), x.data(), scratch.data(), code.data());
    store_code(model.shape, tiles.data(), slot, code.data());
    scales[slot] = own.scale;
    offsets[slot] = own.offset;
    errors[slot] = own.error;
  }

  uint32_t scan(const ListQuery &query, AnchorDistance anchor, float deviations, float limit,
                BlockEstimates *out) const {
    return scan_block(query, anchor, tiles.data(), scales, offsets, errors, deviations, limit, out);
  }

  ListModel model;
  std::vector<uint8_t> tiles;
  uint16_t scales[32] = {};
  uint16_t offsets[32] = {};
  uint16_t errors[32] = {};
};

struct RefinedRow {
  RefinedRow(const ListShape &shape, const std::vector<float> &anchor, const std::vector<float> &x)
      : planes(refine_code_bytes(shape)) {
    std::vector<float> scratch(encode_scratch_floats(shape));
    factors = encode_refine(shape, anchor.data(), x.data(), scratch.data(), planes.data());
  }
  std::vector<uint8_t> planes;
  RefineFactors factors;
};

inline double list_distance(Geometry geometry, const std::vector<float> &a,
                            const std::vector<float> &b) {
  return geometry == Geometry::kL2 ? squared_distance(a, b) : -dot(a, b);
}

inline AnchorDistance anchor_distance(Geometry geometry, const std::vector<float> &q,
                                      const std::vector<float> &c) {
  return {static_cast<float>(list_distance(geometry, q, c)),
          static_cast<float>(std::sqrt(squared_distance(q, c)))};
}

}  // namespace vann::quantize

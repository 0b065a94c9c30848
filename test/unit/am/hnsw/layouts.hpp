// layouts.hpp — layouts of many shapes, and the metapage fields that describe one.
#pragma once

#include <vector>

#include "am/hnsw/page.hpp"

namespace vann::hnsw::test {

inline MetaPage meta_of(const Layout &layout, uint32_t dims, Metric metric) {
  MetaPage meta{};
  meta.magic = kMagic;
  meta.version = kFormatVersion;
  meta.page_bytes = kPageBytes;
  meta.dims = dims;
  meta.degree = layout.degree;
  meta.metric = static_cast<uint8_t>(metric);
  meta.rotated_dims = layout.rotated_dims;
  meta.code_dims = layout.shape.dims;
  meta.code_bits = layout.shape.code_bits;
  meta.neighbor_dims = layout.shape.neighbor_dims;
  meta.neighbor_bits = layout.shape.neighbor_bits;
  meta.slots = layout.slots;
  meta.stride = layout.stride;
  return meta;
}

struct LayoutCase {
  uint32_t dims;
  Metric metric;
  uint32_t degree;

  Layout layout() const { return choose_layout(dims, metric, degree); }
};

// One and two bits per neighbor dimension, whole and cut codes, one to many records per page.
inline std::vector<LayoutCase> layout_cases() {
  return {{3, Metric::kL2, 32},
          {100, Metric::kL2, 64},
          {200, Metric::kInnerProduct, 32},
          {384, Metric::kCosine, 32},
          {768, Metric::kL2, 64},
          {768, Metric::kInnerProduct, 32},
          {1536, Metric::kInnerProduct, 64},
          {4096, Metric::kL2, 32}};
}

}  // namespace vann::hnsw::test

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
  describe_layout(layout, dims, metric, &meta);
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

// layouts.hpp — layouts of many shapes, and the metapage fields that describe one.
#pragma once

#include <vector>

#include "am/ivfpq/page.hpp"

namespace vann::ivfpq::test {

inline MetaPage meta_of(const Layout &layout, Metric metric) {
  MetaPage meta{};
  meta.magic = kMagic;
  meta.version = kFormatVersion;
  meta.page_bytes = kPageBytes;
  meta.error_scale = 1;
  describe_layout(layout, metric, &meta);
  return meta;
}

struct LayoutCase {
  uint32_t dims;
  Metric metric;
  LayoutOptions options;

  Layout layout() const { return choose_layout(dims, metric, options); }
};

// All codecs, scan codes of all and of some dimensions, one to many blocks per page.
inline std::vector<LayoutCase> layout_cases() {
  using quantize::Codec;
  return {{3, Metric::kL2, {Codec::kRabitq, 0, 0}},
          {100, Metric::kInnerProduct, {Codec::kPq4, 0, 0}},
          {128, Metric::kCosine, {Codec::kPq8, 0, 8}},
          {384, Metric::kCosine, {Codec::kRabitq, 0, 0}},
          {768, Metric::kL2, {Codec::kRabitq, 0, 4}},
          {784, Metric::kL2, {Codec::kPq4, 100, 5}},
          {1536, Metric::kInnerProduct, {Codec::kRabitq, 0, 7}},
          {1536, Metric::kL2, {Codec::kPq8, 1, 0}},
          {3000, Metric::kCosine, {Codec::kRabitq, 0, 0}},
          {16000, Metric::kL2, {Codec::kPq4, 0, 0}},
          {16000, Metric::kCosine, {Codec::kRabitq, 0, 8}}};
}

}  // namespace vann::ivfpq::test

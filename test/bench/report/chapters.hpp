// chapters.hpp — how the report tells each measure.
#pragma once

#include <vector>

namespace vann::bench {

enum class Better { kMore, kLess };

// How the points of a measure are told. `primary` is the value whose ratios are shown.
struct Chapter {
  const char *measure;
  const char *title;
  const char *primary;
  Better better;
  const char *text;
};

// In the order of the report.
const std::vector<Chapter> &all_chapters();

}  // namespace vann::bench

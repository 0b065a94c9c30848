// report.hpp — results as a Markdown page for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "curve.hpp"
#include "dataset.hpp"
#include "options.hpp"

namespace vann::bench {

struct Report {
  const Options &options;
  const Dataset &data;
  std::string server_version;
  std::vector<std::pair<std::string, std::string>> server_settings;  // name, value
  std::vector<EngineResult> results;  // the first one is what the others are compared with
};

// The recalls at which speeds are compared.
inline constexpr double kTargets[] = {0.95, 0.99};

std::string markdown(const Report &report);
std::string json(const Report &report);

}  // namespace vann::bench

// curve.cpp — percentiles and interpolation.
#include "curve.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vann::bench {
namespace {

// Each query's fastest execution: what the machine did beside it is not part of the figure.
std::vector<double> fastest_times(const std::vector<Pass> &passes) {
  std::vector<double> times = passes.front().microseconds;
  for (const Pass &pass : passes) {
    for (size_t i = 0; i < times.size(); ++i) times[i] = std::min(times[i], pass.microseconds[i]);
  }
  return times;
}

double percentile(std::vector<double> values, double share) {
  const auto rank = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(rank), values.end());
  return values[rank];
}

}  // namespace

SearchPoint summarize(int ef_search, const std::vector<Pass> &passes) {
  const std::vector<double> times = fastest_times(passes);
  const double total = std::accumulate(times.begin(), times.end(), 0.0);
  const double n = static_cast<double>(times.size());
  return {ef_search, 0, n * 1e6 / total, percentile(times, 0.5), percentile(times, 0.99), {}};
}

std::optional<double> speed_at_recall(const std::vector<SearchPoint> &curve, double target) {
  if (curve.empty()) return {};
  if (curve.front().recall >= target) return curve.front().queries_per_second;
  for (size_t i = 1; i < curve.size(); ++i) {
    const SearchPoint &below = curve[i - 1];
    const SearchPoint &above = curve[i];
    if (below.recall >= target || above.recall < target) continue;
    const double share = (target - below.recall) / (above.recall - below.recall);
    const double from = std::log(below.queries_per_second);
    return std::exp(from + share * (std::log(above.queries_per_second) - from));
  }
  return {};
}

}  // namespace vann::bench

// results.cpp — selection, medians, interpolation.
#include "bench/measure/results.hpp"

#include <algorithm>
#include <cmath>

namespace vann::bench {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double percentile(std::vector<double> values, double share) {
  const auto rank = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(rank), values.end());
  return values[rank];
}

const Value *Point::find(const std::string &name) const {
  for (const Value &value : values) {
    if (value.name == name) return &value;
  }
  return nullptr;
}

std::string Point::parameter(const std::string &name) const {
  for (const auto &[key, value] : parameters) {
    if (key == name) return value;
  }
  return "";
}

std::vector<const Point *> Results::of(const std::string &data, const std::string &measure) const {
  std::vector<const Point *> found;
  for (const Point &point : points) {
    if (point.data == data && point.measure == measure) found.push_back(&point);
  }
  return found;
}

std::optional<double> Results::value(const std::string &data, const std::string &measure,
                                     const std::string &engine, const Parameters &parameters,
                                     const std::string &name) const {
  for (const Point *point : of(data, measure)) {
    const bool matches = point->engine == engine &&
                         std::all_of(parameters.begin(), parameters.end(), [&](const auto &wanted) {
                           return point->parameter(wanted.first) == wanted.second;
                         });
    if (!matches) continue;
    if (const Value *value = point->find(name)) return value->median();
  }
  return {};
}

std::optional<double> speed_at_recall(const std::vector<std::pair<double, double>> &curve,
                                      double target) {
  std::optional<double> best;
  const auto offer = [&best](double speed) { best = std::max(best.value_or(0), speed); };
  for (size_t i = 0; i < curve.size(); ++i) {
    const auto &[recall, speed] = curve[i];
    if (recall < target) continue;
    offer(speed);
    if (i == 0 || curve[i - 1].first >= target) continue;
    const auto &[recall_below, speed_below] = curve[i - 1];
    const double share = (target - recall_below) / (recall - recall_below);
    offer(std::exp(std::log(speed_below) + share * (std::log(speed) - std::log(speed_below))));
  }
  return best;
}

std::vector<int> efforts_reaching(const std::vector<int> &efforts,
                                  const std::vector<double> &targets,
                                  const std::function<double(int)> &recall) {
  std::vector<int> reaching;
  auto target = targets.begin();
  for (size_t i = 0; i < efforts.size() && target != targets.end(); ++i) {
    const double reached = i + 1 == efforts.size() ? targets.back() : recall(efforts[i]);
    if (reached < *target) continue;
    reaching.push_back(efforts[i]);
    while (target != targets.end() && reached >= *target) ++target;
  }
  return reaching;
}

}  // namespace vann::bench

// facts.cpp — what several reports say the same way.
#include "bench/report/report.hpp"

#include <algorithm>

namespace vann::bench {

std::string shown_data(const DataFacts &data) {
  return data.name + ": " + std::to_string(data.rows) + " x " + std::to_string(data.dims) + ", " +
         data.metric;
}

std::string shown_family(Family family) {
  return family == Family::kGraphs ? "Graphs" : "Inverted lists";
}

Facts of_family(const Facts &facts, Family family) {
  Facts some = facts;
  std::erase_if(some.engines, [&](const EngineFacts &engine) { return engine.family != family; });
  return some;
}

std::vector<Family> families(const Facts &facts) {
  std::vector<Family> present;
  for (const Family family : {Family::kGraphs, Family::kLists}) {
    if (!of_family(facts, family).engines.empty()) present.push_back(family);
  }
  return present;
}

std::vector<const Point *> points_of(const Facts &facts, const Results &results,
                                     const std::string &data, const std::string &measure) {
  std::vector<const Point *> points = results.of(data, measure);
  std::erase_if(points, [&](const Point *point) {
    return std::none_of(facts.engines.begin(), facts.engines.end(),
                        [&](const EngineFacts &engine) { return engine.name == point->engine; });
  });
  return points;
}

std::optional<double> speed_of(const Results &results, const std::string &data,
                               const std::string &engine, const std::string &k, double recall) {
  std::vector<std::pair<double, double>> curve;
  for (const Point *point : results.of(data, "search")) {
    if (point->engine != engine || point->parameter("k") != k) continue;
    curve.emplace_back(point->find("recall")->median(), point->find("qps")->median());
  }
  return speed_at_recall(curve, recall);
}

}  // namespace vann::bench

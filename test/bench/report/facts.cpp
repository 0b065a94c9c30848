// facts.cpp — what several reports say the same way.
#include "bench/report/report.hpp"

namespace vann::bench {

std::string shown_name(const std::string &engine) {
  return engine == "vector" ? "pgvector" : engine;
}

std::string shown_data(const DataFacts &data) {
  return data.name + ": " + std::to_string(data.rows) + " x " + std::to_string(data.dims) + ", " +
         data.metric;
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

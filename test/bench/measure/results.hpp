// results.hpp — everything that a run measured, in one flat list: reports pick from it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vann::bench {

double median(std::vector<double> values);  // at least one
// Nearest rank, share from 0 to 1; at least one value.
double percentile(std::vector<double> values, double share);

// A quantity with its unit as the name's last part, such as build_s or index_mb, and what was read
// in each repetition. Its value is their median.
struct Value {
  std::string name;
  std::vector<double> readings;

  double median() const { return bench::median(readings); }
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

// One point: what `engine` did on `data` in `measure` under `parameters`.
struct Point {
  std::string data;
  std::string measure;
  std::string engine;
  Parameters parameters;
  std::vector<Value> values;

  const Value *find(const std::string &name) const;
  std::string parameter(const std::string &name) const;  // empty where it has none
};

// Something that a reader of the results must know: what was left out, and why.
struct Note {
  std::string data;
  std::string measure;
  std::string text;
};

struct Results {
  std::vector<Point> points;
  std::vector<Note> notes;

  // Points of a measure on a data set, in the order of their measurement.
  std::vector<const Point *> of(const std::string &data, const std::string &measure) const;
  // The median of a value; nothing where it was not measured.
  std::optional<double> value(const std::string &data, const std::string &measure,
                              const std::string &engine, const Parameters &parameters,
                              const std::string &name) const;
};

// The most queries per second at a recall of at least `target`: of the points of the curve (recall,
// queries per second), which is in order of growing effort, and of what lies log-linearly between
// two of them where the target does. Nothing where no point reaches it.
std::optional<double> speed_at_recall(const std::vector<std::pair<double, double>> &curve,
                                      double target);

// For each of the ascending targets the least of the ascending efforts at which recall(effort)
// reaches it, or else the last effort; each effort once.
std::vector<int> efforts_reaching(const std::vector<int> &efforts,
                                  const std::vector<double> &targets,
                                  const std::function<double(int)> &recall);

}  // namespace vann::bench

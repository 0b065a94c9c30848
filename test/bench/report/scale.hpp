// scale.hpp — an axis: where a number lies on it, and which numbers are written beside it.
#pragma once

#include <string>
#include <vector>

namespace vann::bench {

enum class ScaleKind {
  kLinear,
  kLog,
  kRecall,  // logarithmic in what is missing to 1, which is where recalls differ; ends at 0.9999
};

struct Tick {
  double value;
  std::string label;
};

class Scale {
 public:
  // Covers all values, widened to round numbers. Values that the kind cannot show (not positive on
  // a logarithmic scale) do not count; without any other the scale is from 0 or 1 to 10.
  Scale(ScaleKind kind, const std::vector<double> &values);

  // 0 at the axis's start, 1 at its end; values outside are moved to the nearer end.
  double position(double value) const;
  // In ascending order, about 4 to 12 of them.
  const std::vector<Tick> &ticks() const { return ticks_; }

 private:
  double transform(double value) const;
  void choose_linear(double low, double high);
  void choose_log(double low, double high);
  void choose_recall(double low, double high);

  ScaleKind kind_;
  double start_ = 0;  // transformed
  double end_ = 1;
  std::vector<Tick> ticks_;
};

// At most three significant digits, thousands and millions as k and M: 0.95, 12.5, 3k, 1.2M.
std::string short_number(double value);

}  // namespace vann::bench

// plot.hpp — plots as SVG, which browsers and GitHub show as pictures.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/report/scale.hpp"

namespace vann::bench {

// Lines through points, one line per series.
struct LinePlot {
  struct Series {
    std::string name;
    std::vector<std::pair<double, double>> points;  // (x, y), joined in this order
  };

  std::string title;
  std::string subtitle;
  std::string x_label;
  std::string y_label;
  ScaleKind x_scale = ScaleKind::kLinear;
  ScaleKind y_scale = ScaleKind::kLog;
  std::vector<double> x_ticks;  // where not empty, the numbers written on a linear or log x axis
  std::vector<Series> series;
};

// Horizontal bars from 0, in groups; the number stands at the bar's end.
struct BarPlot {
  struct Bar {
    std::string name;  // which series
    double value;
  };
  struct Group {
    std::string name;
    std::vector<Bar> bars;
  };

  std::string title;
  std::string subtitle;
  std::string unit;
  std::vector<Group> groups;
};

// A series' color follows from its name: the engines keep theirs in all plots.
std::string svg(const LinePlot &plot);
std::string svg(const BarPlot &plot);

// Text with the characters replaced that XML reserves.
std::string escaped(const std::string &text);

}  // namespace vann::bench

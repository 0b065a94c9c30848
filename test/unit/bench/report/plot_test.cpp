// Plots: well-formed, inside their frame, and with everything that was to be shown.
#include "bench/report/plot.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>
#include <regex>

#include <gtest/gtest.h>

namespace vann::bench {
namespace {

// Whether all elements are closed in order and attributes are quoted.
bool is_well_formed(const std::string &xml) {
  std::vector<std::string> open;
  const std::regex tag(R"(<(/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*) ?(/?)>)");
  size_t tags = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), tag), end; it != end; ++it, ++tags) {
    if ((*it)[1] == "/") {
      if (open.empty() || open.back() != (*it)[2]) return false;
      open.pop_back();
    } else if ((*it)[4] != "/") {
      open.push_back((*it)[2]);
    }
  }
  return open.empty() && tags == static_cast<size_t>(std::count(xml.begin(), xml.end(), '<')) &&
         tags == static_cast<size_t>(std::count(xml.begin(), xml.end(), '>'));
}

LinePlot curve() {
  LinePlot plot;
  plot.title = "A & B";
  plot.x_label = "recall";
  plot.y_label = "speed";
  plot.x_scale = ScaleKind::kRecall;
  plot.series = {{"vector_ann", {{0.9, 20'000}, {0.99, 9'000}, {1, 1'000}}},
                 {"x < y", {{0.8, 5'000}, {0.95, 500}}}};
  return plot;
}

size_t occurrences(const std::string &text, const std::string &part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(LinePlot, ShowsEverySeriesAndPoint) {
  const std::string image = svg(curve());
  EXPECT_TRUE(is_well_formed(image));
  EXPECT_EQ(occurrences(image, "<polyline"), 2u);
  EXPECT_EQ(occurrences(image, "<circle"), 5u);
  for (const char *text : {"A &amp; B", "x &lt; y", ">recall<", ">speed<", ">0.99<", ">10k<"}) {
    EXPECT_NE(image.find(text), std::string::npos) << text;
  }
}

TEST(LinePlot, StaysInItsFrame) {
  const std::string image = svg(curve());
  const std::regex circle(R"re(cx="([0-9.-]+)" cy="([0-9.-]+)")re");
  EXPECT_EQ(std::distance(std::sregex_iterator(image.begin(), image.end(), circle), {}), 5);
  for (std::sregex_iterator it(image.begin(), image.end(), circle), end; it != end; ++it) {
    EXPECT_GE(std::stod((*it)[1]), 78);
    EXPECT_LE(std::stod((*it)[1]), 570);
    EXPECT_GE(std::stod((*it)[2]), 62);
    EXPECT_LE(std::stod((*it)[2]), 382);
  }
}

TEST(LinePlot, GrowsWithTheLongestName) {
  const std::regex width("<svg [^>]*width=\"([0-9.]+)\"");
  std::smatch usual, wider;
  LinePlot plot = curve();
  const std::string image = svg(plot);
  ASSERT_TRUE(std::regex_search(image, usual, width));
  EXPECT_EQ(usual[1], "720");
  plot.series.back().name = std::string(40, 'x');
  const std::string wide = svg(plot);
  ASSERT_TRUE(std::regex_search(wide, wider, width));
  EXPECT_GT(std::stod(wider[1]), 588 + 40 * 6.5);
}

TEST(LinePlot, StandsWithoutPoints) { EXPECT_TRUE(is_well_formed(svg(LinePlot{}))); }

TEST(BarPlot, DrawsBarsInProportion) {
  BarPlot plot;
  plot.title = "Build";
  plot.unit = "s";
  plot.groups = {{"words", {{"vector_ann", 2}, {"pgvector", 10}}}};
  const std::string image = svg(plot);
  EXPECT_TRUE(is_well_formed(image));
  const std::regex bar("<rect x=\"150.0\" y=\"[0-9.]+\" width=\"([0-9.]+)\"");
  std::vector<double> widths;
  for (std::sregex_iterator it(image.begin(), image.end(), bar), end; it != end; ++it) {
    widths.push_back(std::stod((*it)[1]));
  }
  ASSERT_EQ(widths.size(), 2u);
  EXPECT_NEAR(widths[1] / widths[0], 5, 0.02);
  EXPECT_NE(image.find("10 s"), std::string::npos);
  EXPECT_TRUE(is_well_formed(svg(BarPlot{})));
}

}  // namespace
}  // namespace vann::bench

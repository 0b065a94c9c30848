// Axes: what they cover, and which numbers stand beside them.
#include "bench/report/scale.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vann::bench {
namespace {

std::string labels(const Scale &scale) {
  std::string text;
  for (const Tick &tick : scale.ticks()) text += (text.empty() ? "" : " ") + tick.label;
  return text;
}

TEST(Scale, LinearCoversWithRoundNumbers) {
  EXPECT_EQ(labels(Scale(ScaleKind::kLinear, {3, 97})), "0 20 40 60 80 100");
  EXPECT_EQ(labels(Scale(ScaleKind::kLinear, {0.2, 0.9})), "0.2 0.4 0.6 0.8 1");
  const Scale scale(ScaleKind::kLinear, {0, 100});
  EXPECT_DOUBLE_EQ(scale.position(0), 0);
  EXPECT_DOUBLE_EQ(scale.position(25), 0.25);
  EXPECT_DOUBLE_EQ(scale.position(1000), 1);
}

TEST(Scale, LogCoversTightly) {
  EXPECT_EQ(labels(Scale(ScaleKind::kLog, {578, 101'079})),
            "500 1000 2000 5000 10k 20k 50k 100k 200k");
  EXPECT_EQ(labels(Scale(ScaleKind::kLog, {1100, 1900})), "1000 1500 2000");
  EXPECT_EQ(labels(Scale(ScaleKind::kLog, {1, 1e6})), "1 10 100 1000 10k 100k 1M");
  const Scale scale(ScaleKind::kLog, {1, 100});
  EXPECT_DOUBLE_EQ(scale.position(10), 0.5);
  EXPECT_DOUBLE_EQ(scale.position(0), 0);
}

TEST(Scale, RecallStretchesTowardsOne) {
  const Scale scale(ScaleKind::kRecall, {0.85, 1});
  EXPECT_EQ(labels(scale), "0.8 0.9 0.95 0.98 0.99 0.995 0.998 0.999 1");
  EXPECT_DOUBLE_EQ(scale.position(1), 1);
  EXPECT_DOUBLE_EQ(scale.position(0.8), 0);
  EXPECT_NEAR(scale.position(0.99) - scale.position(0.9),
              scale.position(0.999) - scale.position(0.99), 1e-9);
}

TEST(Scale, StandsWithoutValuesOrSpan) {
  for (const ScaleKind kind : {ScaleKind::kLinear, ScaleKind::kLog, ScaleKind::kRecall}) {
    for (const std::vector<double> &values :
         {std::vector<double>{}, {5}, {1}, {0}, {-3, -3}, {1, 1}, {INFINITY}}) {
      const Scale scale(kind, values);
      EXPECT_GE(scale.ticks().size(), 2u);
      EXPECT_DOUBLE_EQ(scale.position(scale.ticks().front().value), 0);
      EXPECT_DOUBLE_EQ(scale.position(scale.ticks().back().value), 1);
    }
  }
}

TEST(ShortNumber, HasThreeDigits) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.1), "0.1");
  EXPECT_EQ(short_number(12.54), "12.5");
  EXPECT_EQ(short_number(5000), "5000");
  EXPECT_EQ(short_number(9994), "9994");
  EXPECT_EQ(short_number(12'345), "12.3k");
  EXPECT_EQ(short_number(999'600), "1M");
}

}  // namespace
}  // namespace vann::bench

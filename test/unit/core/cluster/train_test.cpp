// train_test.cpp — centroids are where the rows are, as many as wanted, the same on any number of
// threads, and their lists are of similar lengths.
#include "core/cluster/train.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "code_rows.hpp"
#include "core/cluster/assigner.hpp"
#include "unit/core/parallel/monitors.hpp"

namespace vann::cluster {
namespace {

using test::around;
using test::CodeRows;
using test::gaussian;
using test::skewed;
using test::squared_distance;
using test::train_on;
using test::Vectors;

Params params_for(uint32_t lists, uint64_t seed = 1) {
  Params params;
  params.lists = lists;
  params.seed = seed;
  return params;
}

// The nearest centroid of every row, by plain float distances.
std::vector<uint32_t> nearest_lists(const CodeRows &rows, const Centroids &centroids,
                                    double &mean_squared) {
  std::vector<uint32_t> lists(rows.view().size());
  mean_squared = 0;
  for (size_t row = 0; row < lists.size(); ++row) {
    const std::vector<float> x = rows.decoded(row);
    double least = std::numeric_limits<double>::infinity();
    for (uint32_t list = 0; list < centroids.count; ++list) {
      const double distance = squared_distance(x, centroids.values.data() + list * x.size());
      if (distance < least) {
        least = distance;
        lists[row] = list;
      }
    }
    mean_squared += least / static_cast<double>(lists.size());
  }
  return lists;
}

size_t longest_list(const std::vector<uint32_t> &lists, uint32_t count) {
  std::vector<size_t> length(count);
  for (const uint32_t list : lists) ++length[list];
  return *std::max_element(length.begin(), length.end());
}

void expect_sound(const Centroids &centroids) {
  ASSERT_EQ(centroids.values.size(), size_t{centroids.count} * centroids.dims);
  ASSERT_EQ(centroids.cells.size(), centroids.cell_count() * centroids.dims);
  ASSERT_EQ(centroids.cell_begin.front(), 0u);
  ASSERT_EQ(centroids.cell_begin.back(), centroids.count);
  for (size_t i = 0; i < centroids.cell_count(); ++i) {
    ASSERT_LT(centroids.cell_begin[i], centroids.cell_begin[i + 1]);
  }
  for (const float x : centroids.values) ASSERT_TRUE(std::isfinite(x));
  for (const float x : centroids.cells) ASSERT_TRUE(std::isfinite(x));
  EXPECT_TRUE(std::isfinite(centroids.mean_squared));
  EXPECT_GE(centroids.mean_squared, 0.0);
}

TEST(Train, FindsThePartsOfAMixture) {
  const Vectors centres = gaussian(40, 24, 3);
  const CodeRows rows(around(centres, 4000, 0.05f, 4));
  const Centroids centroids = train_on(rows, params_for(40));
  expect_sound(centroids);
  ASSERT_EQ(centroids.count, 40u);
  // The mean of 100 rows lies within a few spread / 10 of its centre in each of 24 dimensions.
  for (const auto &centre : centres) {
    double least = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < 40; ++i) {
      least = std::min(least, squared_distance(centre, centroids.values.data() + i * 24));
    }
    EXPECT_LT(least, 24 * 0.02 * 0.02);
  }
}

TEST(Train, CellsOfOneLevelAndOfTwoReportTheirError) {
  const CodeRows rows(skewed(6000, 16, 50, 5));
  for (const uint32_t lists : {1u, 7u, 200u, 300u}) {
    const Centroids centroids = train_on(rows, params_for(lists));
    expect_sound(centroids);
    EXPECT_EQ(centroids.count, lists);
    EXPECT_EQ(centroids.cell_count(), 1u);
    double measured;
    nearest_lists(rows, centroids, measured);
    // Rows that have since come nearer to another centroid make the report the larger one.
    EXPECT_LT(measured, centroids.mean_squared * 1.002) << lists;
    EXPECT_GT(measured, centroids.mean_squared * 0.9) << lists;
  }
}

// Plain Lloyd's algorithm in floats, from random rows.
double flat_lloyd(const CodeRows &rows, uint32_t lists, int iterations) {
  const size_t dims = rows.view().dims();
  Centroids centroids;
  centroids.count = lists;
  std::mt19937_64 random(9);
  for (uint32_t i = 0; i < lists; ++i) {
    const std::vector<float> row = rows.decoded(random() % rows.view().size());
    centroids.values.insert(centroids.values.end(), row.begin(), row.end());
  }
  double mean_squared = 0;
  for (int turn = 0; turn < iterations; ++turn) {
    const std::vector<uint32_t> nearest = nearest_lists(rows, centroids, mean_squared);
    std::vector<double> sums(lists * dims);
    std::vector<double> counts(lists);
    for (size_t row = 0; row < nearest.size(); ++row) {
      const std::vector<float> x = rows.decoded(row);
      for (size_t i = 0; i < dims; ++i) sums[nearest[row] * dims + i] += static_cast<double>(x[i]);
      ++counts[nearest[row]];
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      if (counts[i / dims] > 0)
        centroids.values[i] = static_cast<float>(sums[i] / counts[i / dims]);
    }
  }
  return mean_squared;
}

TEST(Train, TwoLevelsAreNearlyAsGoodAsFlatLloyd) {
  const CodeRows rows(around(gaussian(150, 16, 6), 6000, 0.5f, 7));
  const Centroids centroids = train_on(rows, params_for(300));
  EXPECT_LT(centroids.mean_squared, 1.08 * flat_lloyd(rows, 300, 10));
}

TEST(Train, IsTheSameOnAnyNumberOfThreads) {
  const CodeRows rows(skewed(9000, 20, 60, 8));
  for (const uint32_t lists : {100u, 700u}) {
    const Centroids one = train_on(rows, params_for(lists), 1);
    for (const unsigned threads : {1u, 2u, 5u}) {
      const Centroids other = train_on(rows, params_for(lists), threads);
      ASSERT_EQ(one.count, other.count);
      EXPECT_EQ(one.values, other.values);
      EXPECT_EQ(one.cells, other.cells);
      EXPECT_EQ(one.cell_begin, other.cell_begin);
      EXPECT_EQ(one.mean_squared, other.mean_squared);
    }
    EXPECT_NE(one.values, train_on(rows, params_for(lists, 2)).values);
  }
}

TEST(Train, ListsOfSkewedRowsAreBounded) {
  const CodeRows rows(skewed(12000, 16, 50, 11));
  for (const uint32_t lists : {100u, 400u}) {
    const Centroids centroids = train_on(rows, params_for(lists));
    double ignored;
    const auto nearest = nearest_lists(rows, centroids, ignored);
    EXPECT_EQ(centroids.count, lists);
    EXPECT_LT(longest_list(nearest, lists), 4 * 12000 / lists);
  }
}

TEST(Train, ManyListsComeInCellsOfNearOnes) {
  const CodeRows rows(gaussian(9000, 8, 12));
  const Centroids centroids = train_on(rows, params_for(kFlatLists + 400));
  expect_sound(centroids);
  EXPECT_EQ(centroids.count, kFlatLists + 400);
  ASSERT_GT(centroids.cell_count(), 30u);
  // Neighbours in number are far nearer than any two.
  double next = 0;
  double any = 0;
  for (uint32_t i = 0; i + 1 < centroids.count; ++i) {
    const std::vector<float> x(centroids.values.begin() + i * 8,
                               centroids.values.begin() + i * 8 + 8);
    next += squared_distance(x, centroids.values.data() + (i + 1) * 8);
    any += squared_distance(x, centroids.values.data() + (i * 2749 % centroids.count) * 8);
  }
  EXPECT_LT(next, 0.5 * any);
}

TEST(Train, FewerDistinctRowsThanListsGiveOneEach) {
  const Vectors distinct = gaussian(40, 16, 13);
  // Row i is one of the 40, most often the first: 3,000 times.
  Vectors vectors(3000, distinct[0]);
  for (size_t i = 0; i < 1000; ++i) vectors.push_back(distinct[i % 40]);
  const CodeRows rows(vectors);
  for (const uint32_t lists : {40u, 64u, 1000u}) {
    const Centroids centroids = train_on(rows, params_for(lists));
    expect_sound(centroids);
    EXPECT_EQ(centroids.count, 40u) << lists;
    double mean_squared;
    const auto nearest = nearest_lists(rows, centroids, mean_squared);
    EXPECT_EQ(std::set<uint32_t>(nearest.begin(), nearest.end()).size(), 40u);
    EXPECT_LT(mean_squared, 1e-6);
    EXPECT_LT(centroids.mean_squared, 1e-3);
  }
}

TEST(Train, EqualRowsGiveOneCentroid) {
  for (const float value : {0.0f, 1.0f}) {
    const CodeRows rows(Vectors(5000, std::vector<float>(16, value)));
    for (const bool spherical : {false, true}) {
      Params params = params_for(600);
      params.spherical = spherical;
      const Centroids centroids = train_on(rows, params);
      expect_sound(centroids);
      EXPECT_EQ(centroids.count, 1u);
    }
  }
}

TEST(Train, NoRowsGiveNoCentroids) {
  const Centroids centroids = train_on(CodeRows({}), params_for(10));
  expect_sound(centroids);
  EXPECT_EQ(centroids.count, 0u);
  EXPECT_EQ(centroids.cell_count(), 0u);
  EXPECT_EQ(train_on(CodeRows(gaussian(1, 16, 1)), params_for(10)).count, 1u);
}

TEST(Train, SphericalCentroidsHaveUnitLength) {
  Vectors vectors = around(gaussian(100, 24, 14), 5000, 0.5f, 15);
  for (auto &vector : vectors) {
    const auto length = static_cast<float>(
        std::sqrt(squared_distance(vector, std::vector<float>(vector.size()).data())));
    for (float &x : vector) x /= length;
  }
  const CodeRows rows(vectors);
  const std::vector<float> origin(24);
  for (const uint32_t lists : {50u, 400u}) {
    Params params = params_for(lists);
    params.spherical = true;
    const Centroids centroids = train_on(rows, params);
    EXPECT_EQ(centroids.count, lists);
    for (uint32_t i = 0; i < centroids.count; ++i) {
      EXPECT_NEAR(squared_distance(origin, centroids.values.data() + i * 24), 1.0, 1e-5);
    }
    EXPECT_NEAR(squared_distance(origin, centroids.cells.data()), 1.0, 1e-5);
    double measured;
    nearest_lists(rows, centroids, measured);
    EXPECT_LT(measured, centroids.mean_squared * 1.005);
    EXPECT_GT(measured, centroids.mean_squared * 0.9);
  }
}

TEST(Train, CancellationUnwinds) {
  const CodeRows rows(gaussian(4000, 16, 16));
  for (const int polls : {0, 1, 5, 20, 60}) {
    parallel::test::CancellingMonitor monitor(polls);
    parallel::Team team(2, monitor);
    EXPECT_THROW(train(rows.view(), params_for(300), team), parallel::Cancelled) << polls;
  }
}

TEST(Train, ReportsGrowToTheTotal) {
  const CodeRows rows(gaussian(4000, 16, 17));
  parallel::test::RecordingMonitor monitor;
  parallel::Team team(2, monitor);
  Params params = params_for(300);
  params.stage = 3;
  train(rows.view(), params, team);
  ASSERT_FALSE(monitor.reports.empty());
  uint64_t done = 0;
  for (const auto &report : monitor.reports) {
    EXPECT_EQ(report.stage, 3);
    EXPECT_GE(report.done, done);
    EXPECT_LE(report.done, report.total);
    done = report.done;
  }
  EXPECT_EQ(done, monitor.reports.back().total);
}

}  // namespace
}  // namespace vann::cluster

// Data sets: how rows are dealt out, and that synthetic ones do not depend on their number.
#include "bench/data/dataset.hpp"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

#include "bench/data/synthetic.hpp"

namespace vann::bench {
namespace {

TEST(DrawClusters, RowsDoNotDependOnTheirNumber) {
  const Matrix few = draw_clusters(100, 20, 7), many = draw_clusters(3000, 20, 7);
  EXPECT_TRUE(std::equal(few.values.begin(), few.values.end(), many.values.begin()));
  EXPECT_NE(std::vector<float>(few.row(0), few.row(1)), std::vector<float>(few.row(1), few.row(2)));
}

TEST(LoadDataset, DealsOutEveryRowOnce) {
  DataRequest request;
  request.source = "synthetic-4x2000";
  request.held = 150;
  request.queries = 50;
  const Dataset data = load_dataset(request);
  EXPECT_EQ(data.indexed(), 2000u);
  EXPECT_EQ(data.queries.rows, 50u);
  std::vector<float> dealt = data.base.values;
  dealt.insert(dealt.end(), data.queries.values.begin(), data.queries.values.end());
  std::vector<float> drawn = draw_clusters(2200, 4, request.clusters).values;
  std::sort(dealt.begin(), dealt.end());
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(dealt, drawn);
}

TEST(LoadDataset, RefusesWhatItDoesNotKnow) {
  DataRequest request;
  request.source = "nothing";
  EXPECT_THROW(load_dataset(request), std::runtime_error);
  request.source = "words";  // in no directory
  EXPECT_THROW(load_dataset(request), std::runtime_error);
  request.source = "synthetic-4x500";
  request.queries = 400;
  request.metric = "hamming";
  EXPECT_THROW(load_dataset(request), std::runtime_error);
}

}  // namespace
}  // namespace vann::bench

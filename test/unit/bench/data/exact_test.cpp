// Brute force against a plain loop in double precision, for every metric and odd sizes.
#include "bench/data/exact.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "bench/data/synthetic.hpp"

namespace vann::bench {
namespace {

Dataset make_data(Metric metric, size_t rows, size_t queries, size_t dims) {
  Matrix all = draw_clusters(rows + queries, dims, 5);
  Dataset data{"test", metric, 0, {rows, dims, {}}, {queries, dims, {}}};
  const auto split = all.values.begin() + static_cast<ptrdiff_t>(rows * dims);
  data.base.values.assign(all.values.begin(), split);
  data.queries.values.assign(split, all.values.end());
  return data;
}

std::vector<uint32_t> plain(const Dataset &data, size_t query, RowRange rows, size_t kept,
                            const Allowed &allowed) {
  std::vector<std::pair<double, uint32_t>> all;
  for (size_t row = rows.first; row < rows.last; ++row) {
    if (allowed && !allowed(query, row)) continue;
    all.emplace_back(
        exact_distance(data.metric, data.queries.row(query), data.base.row(row), data.dims()),
        static_cast<uint32_t>(row));
  }
  std::sort(all.begin(), all.end());
  std::vector<uint32_t> nearest;
  for (size_t i = 0; i < std::min(kept, all.size()); ++i) nearest.push_back(all[i].second);
  return nearest;
}

void compare(Metric metric, size_t dims, const Allowed &allowed) {
  const Dataset data = make_data(metric, 517, 37, dims);
  const RowRange rows{3, 515};
  const auto found = exact_neighbors(data, rows, 20, allowed);
  ASSERT_EQ(found.size(), data.queries.rows);
  for (size_t query = 0; query < data.queries.rows; ++query) {
    EXPECT_EQ(found[query], plain(data, query, rows, 20, allowed)) << "query " << query;
  }
}

TEST(ExactNeighbors, EqualsAPlainLoop) {
  for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct}) {
    for (const size_t dims : {3u, 15u, 16u, 100u}) {
      SCOPED_TRACE(std::string(metric_name(metric)) + " " + std::to_string(dims));
      compare(metric, dims, {});
    }
  }
}

TEST(ExactNeighbors, LeavesOutWhatIsNotAllowed) {
  compare(Metric::kL2, 24, [](size_t query, size_t row) { return (row + query) % 40 == 0; });
}

}  // namespace
}  // namespace vann::bench

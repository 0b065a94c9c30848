// assigner_test.cpp — the nearest centroids are the nearest: all of them below kFlatLists, nearly all
// above.
#include "core/cluster/assigner.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "code_rows.hpp"

namespace vann::cluster {
namespace {

using build::Candidate;
using test::CodeRows;
using test::gaussian;
using test::Vectors;

// `lists` random centroids in one cell.
Centroids random_centroids(uint32_t lists, size_t dims, uint64_t seed) {
  Centroids centroids;
  centroids.dims = dims;
  centroids.count = lists;
  for (const auto &x : gaussian(lists, dims, seed)) {
    centroids.values.insert(centroids.values.end(), x.begin(), x.end());
  }
  centroids.cell_begin = {0, lists};
  centroids.cells.resize(dims);
  return centroids;
}

// All centroids by their distances from each row, as RowView measures them between decoded codes.
std::vector<std::vector<Candidate>> brute_force(const Vectors &vectors,
                                                const Centroids &centroids) {
  Vectors all;
  for (uint32_t i = 0; i < centroids.count; ++i) {
    const auto first = centroids.values.begin() + static_cast<ptrdiff_t>(i * centroids.dims);
    all.emplace_back(first, first + static_cast<ptrdiff_t>(centroids.dims));
  }
  all.insert(all.end(), vectors.begin(), vectors.end());
  const CodeRows rows(all);
  const build::RowView view = rows.view();
  std::vector<std::vector<Candidate>> sorted(vectors.size());
  for (uint32_t row = 0; row < vectors.size(); ++row) {
    for (uint32_t list = 0; list < centroids.count; ++list) {
      sorted[row].push_back(
          build::make_candidate(view.distance(centroids.count + row, list), list));
    }
    std::sort(sorted[row].begin(), sorted[row].end());
  }
  return sorted;
}

TEST(Assigner, EqualsBruteForceBelowTheLimit) {
  for (const size_t dims : {16u, 100u}) {
    const Vectors vectors = gaussian(150, dims, 1);
    const CodeRows rows(vectors);
    for (const uint32_t lists : {1u, 2u, 15u, 16u, 17u, 513u, 1500u}) {
      const Centroids centroids = random_centroids(lists, dims, 2);
      const auto sorted = brute_force(vectors, centroids);
      const Assigner assigner(centroids);
      EXPECT_EQ(assigner.probes(), 0u);
      Assigner::Scratch scratch;
      for (const size_t wanted : {1u, 2u, 5u, 20u}) {
        std::vector<Match> out(150 * wanted);
        assigner.nearest(rows.view(), 0, wanted, out, scratch);
        for (size_t i = 0; i < out.size(); ++i) {
          const size_t place = i % wanted;
          if (place >= lists) {
            ASSERT_EQ(out[i].list, kNoList);
            continue;
          }
          const Candidate expected = sorted[i / wanted][place];
          ASSERT_EQ(out[i].list, build::row_of(expected)) << lists << " " << i;
          ASSERT_EQ(out[i].squared_distance, build::distance_of(expected));
        }
      }
    }
  }
}

TEST(Assigner, AnyRangeOfRowsGivesTheSame) {
  const CodeRows rows(gaussian(2500, 16, 3));
  const Assigner assigner(random_centroids(100, 16, 4));
  Assigner::Scratch scratch;
  std::vector<Match> whole(2500);
  assigner.nearest(rows.view(), 0, 1, whole, scratch);
  std::vector<Match> part(1200);
  assigner.nearest(rows.view(), 1111, 1, part, scratch);
  for (size_t i = 0; i < part.size(); ++i) {
    ASSERT_EQ(part[i].list, whole[1111 + i].list);
    ASSERT_EQ(part[i].squared_distance, whole[1111 + i].squared_distance);
  }
}

TEST(Assigner, EqualCentroidsCountByNumber) {
  Centroids centroids = random_centroids(40, 16, 5);
  for (size_t i = 0; i < 20 * 16; ++i) centroids.values[20 * 16 + i] = centroids.values[i];
  const CodeRows rows(gaussian(50, 16, 6));
  const Assigner assigner(centroids);
  Assigner::Scratch scratch;
  std::vector<Match> out(100);
  assigner.nearest(rows.view(), 0, 2, out, scratch);
  for (size_t i = 0; i < out.size(); i += 2) {
    EXPECT_LT(out[i].list, 20u);
    EXPECT_EQ(out[i + 1].list, out[i].list + 20);
  }
}

TEST(Assigner, NoCentroidsMatchNothing) {
  const CodeRows rows(gaussian(3, 16, 7));
  const Assigner assigner(Centroids{});
  Assigner::Scratch scratch;
  std::vector<Match> out(3);
  assigner.nearest(rows.view(), 0, 1, out, scratch);
  for (const Match &match : out) EXPECT_EQ(match.list, kNoList);
}

TEST(Assigner, FindsNearlyAllOfManyCentroids) {
  // A latent space of few dimensions, as embeddings have.
  const Vectors basis = gaussian(8, 32, 8);
  Vectors vectors = gaussian(9400, 8, 9);
  for (auto &latent : vectors) {
    std::vector<float> x(32);
    for (size_t j = 0; j < 8; ++j) {
      for (size_t i = 0; i < 32; ++i) x[i] += latent[j] * basis[j][i];
    }
    latent = std::move(x);
  }
  const Vectors queries(vectors.end() - 400, vectors.end());
  vectors.resize(9000);
  const CodeRows rows(vectors);
  Params params;
  params.lists = kFlatLists + 200;
  const Centroids centroids = test::train_on(rows, params, 2);
  const Assigner assigner(centroids);
  ASSERT_GE(assigner.probes(), 8u);
  ASSERT_LT(assigner.probes(), centroids.cell_count() / 4);

  const auto sorted = brute_force(queries, centroids);
  const CodeRows query_rows(queries);
  Assigner::Scratch scratch;
  std::vector<Match> out(800);
  assigner.nearest(query_rows.view(), 0, 2, out, scratch);
  size_t first = 0;
  size_t second = 0;
  for (size_t i = 0; i < 400; ++i) {
    first += out[2 * i].list == build::row_of(sorted[i][0]);
    second += out[2 * i + 1].list == build::row_of(sorted[i][1]);
    EXPECT_GE(out[2 * i].squared_distance, build::distance_of(sorted[i][0]));
    EXPECT_LE(out[2 * i].squared_distance, out[2 * i + 1].squared_distance);
  }
  EXPECT_GT(first, 380u);
  EXPECT_GT(second, 360u);
}

}  // namespace
}  // namespace vann::cluster

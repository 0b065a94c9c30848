// exact.cpp — products of blocks of queries and rows in single precision find somewhat more
// candidates than are kept; exact distances in double precision order them. Distances come from
// products, |x|^2 - 2 qx, whose rounding the surplus of candidates makes up for.
#include "bench/data/exact.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <queue>

#include "bench/data/workers.hpp"

namespace vann::bench {
namespace {

constexpr size_t kSurplus = 24;
constexpr size_t kQueries = 32;  // worked on at a time by one thread
constexpr size_t kRows = 64;     // of them, a block: with the queries it stays in the second cache
constexpr size_t kTile = 4;      // queries by rows that share their loads
constexpr size_t kLanes = 16;

using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));
using Candidate = std::pair<float, uint32_t>;
using Nearest = std::priority_queue<Candidate>;

// By reference: as values such vectors cannot cross a call on machines without wide registers.
void load(Lanes &lanes, const float *values) { std::memcpy(&lanes, values, sizeof lanes); }

float sum(const Lanes &lanes) {
  float total = 0;
  for (size_t i = 0; i < kLanes; ++i) total += lanes[i];
  return total;
}

// out[a][b] = q[a] * x[b] over the dimensions.
void tile_products(const float *const (&q)[kTile], const float *const (&x)[kTile], size_t dims,
                   float (&out)[kTile][kTile]) {
  Lanes sums[kTile][kTile] = {};
  size_t i = 0;
  for (; i + kLanes <= dims; i += kLanes) {
    Lanes rows[kTile], query;
    for (size_t b = 0; b < kTile; ++b) load(rows[b], x[b] + i);
    for (size_t a = 0; a < kTile; ++a) {
      load(query, q[a] + i);
      for (size_t b = 0; b < kTile; ++b) sums[a][b] += query * rows[b];
    }
  }
  for (size_t a = 0; a < kTile; ++a) {
    for (size_t b = 0; b < kTile; ++b) {
      out[a][b] = sum(sums[a][b]);
      for (size_t j = i; j < dims; ++j) out[a][b] += q[a][j] * x[b][j];
    }
  }
}

class BruteForce {
 public:
  BruteForce(const Dataset &data, RowRange rows, size_t kept, const Allowed &allowed)
      : data_(data), rows_(rows), kept_(kept), allowed_(allowed), norms_(data.base.rows),
        found_(data.queries.rows) {
    on_all_processors(data.base.rows, 1024, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) norms_[i] = squared_norm(data.base.row(i));
    });
    on_all_processors(data.queries.rows, kQueries,
                      [&](size_t first, size_t last) { search(first, last); });
  }

  std::vector<std::vector<uint32_t>> take() { return std::move(found_); }

 private:
  float squared_norm(const float *row) const {
    double total = 0;
    for (size_t j = 0; j < data_.dims(); ++j) total += double{row[j]} * row[j];
    return static_cast<float>(total);
  }

  // Orders like the metric; what is the same for all rows is left out.
  float key(float product, size_t row) const {
    if (data_.metric == Metric::kL2) return norms_[row] - 2 * product;
    if (data_.metric == Metric::kInnerProduct) return -product;
    return norms_[row] > 0 ? -product / std::sqrt(norms_[row]) : 0;
  }

  void search(size_t first, size_t last) {
    std::vector<Nearest> nearest(last - first);
    for (size_t block = rows_.first; block < rows_.last; block += kRows) {
      const size_t end = std::min(block + kRows, rows_.last);
      for (size_t query = first; query < last; query += kTile) {
        for (size_t row = block; row < end; row += kTile) {
          offer_tile(query, std::min(query + kTile, last), row, std::min(row + kTile, end),
                     nearest.data() + (query - first));
        }
      }
    }
    for (size_t query = first; query < last; ++query) settle(query, nearest[query - first]);
  }

  void offer_tile(size_t query, size_t queries_end, size_t row, size_t rows_end, Nearest *nearest) {
    const float *q[kTile], *x[kTile];
    for (size_t i = 0; i < kTile; ++i) {  // a short tile repeats its last vector
      q[i] = data_.queries.row(std::min(query + i, queries_end - 1));
      x[i] = data_.base.row(std::min(row + i, rows_end - 1));
    }
    float products[kTile][kTile];
    tile_products(q, x, data_.dims(), products);
    for (size_t a = 0; query + a < queries_end; ++a) {
      for (size_t b = 0; row + b < rows_end; ++b) {
        offer(nearest[a], query + a, row + b, key(products[a][b], row + b));
      }
    }
  }

  void offer(Nearest &nearest, size_t query, size_t row, float key) {
    const bool full = nearest.size() == kept_ + kSurplus;
    if (full && key >= nearest.top().first) return;
    if (allowed_ && !allowed_(query, row)) return;
    if (full) nearest.pop();
    nearest.emplace(key, static_cast<uint32_t>(row));
  }

  void settle(size_t query, Nearest &nearest) {
    std::vector<std::pair<double, uint32_t>> exact;
    for (; !nearest.empty(); nearest.pop()) {
      const uint32_t row = nearest.top().second;
      exact.emplace_back(
          exact_distance(data_.metric, data_.queries.row(query), data_.base.row(row), data_.dims()),
          row);
    }
    std::sort(exact.begin(), exact.end());
    for (size_t i = 0; i < std::min(kept_, exact.size()); ++i) {
      found_[query].push_back(exact[i].second);
    }
  }

  const Dataset &data_;
  const RowRange rows_;
  const size_t kept_;
  const Allowed &allowed_;
  std::vector<float> norms_;  // [base.rows], squared
  std::vector<std::vector<uint32_t>> found_;
};

}  // namespace

std::vector<std::vector<uint32_t>> exact_neighbors(const Dataset &data, RowRange rows, size_t kept,
                                                   const Allowed &allowed) {
  return BruteForce(data, rows, kept, allowed).take();
}

}  // namespace vann::bench

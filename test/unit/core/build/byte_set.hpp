// byte_set.hpp — vectors as the byte codes that a build works on, and searches over a built graph.
// Test support: clear rather than fast.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <random>
#include <span>
#include <vector>

#include "core/build/graph_builder.hpp"
#include "core/quantize/rotation.hpp"

namespace vann::build::test {

using Vectors = std::vector<std::vector<float>>;

// Owns what a VectorSet points to. Vectors are centred, rotated and encoded as an index does it.
class ByteSet {
 public:
  explicit ByteSet(const Vectors &vectors, const Vectors &queries = {}) {
    const size_t real_dims = vectors.empty() ? 16 : vectors[0].size();
    dims_ = (real_dims + 15) / 16 * 16;
    mean_.assign(dims_, 0.0f);
    for (const auto &vector : vectors) {
      for (size_t i = 0; i < vector.size(); ++i) {
        mean_[i] += vector[i] / static_cast<float>(vectors.size());
      }
    }
    signs_.resize(quantize::rotation_words(static_cast<uint32_t>(dims_)));
    quantize::make_rotation_signs(7, static_cast<uint32_t>(dims_), signs_.data());
    const size_t stride = quantize::padded_dims(dims_);
    values_.resize(vectors.size() * stride);
    codes_.resize(vectors.size());
    decoded_.resize(vectors.size() * dims_);
    for (size_t row = 0; row < vectors.size(); ++row) {
      const std::vector<float> rotated = prepare(vectors[row]);
      int8_t *values = values_.data() + row * stride;
      codes_[row] = quantize::encode_bytes(rotated.data(), dims_, values);
      quantize::decode_bytes(values, codes_[row].factors, dims_, decoded_.data() + row * dims_);
    }
    for (const auto &query : queries) queries_.push_back(prepare(query));
  }

  VectorSet set(std::span<const uint32_t> subset = {}) const {
    return {codes_.size(), dims_, values_.data(), codes_.data(), subset};
  }

  size_t size() const { return codes_.size(); }
  const std::vector<std::vector<float>> &queries() const { return queries_; }
  // Decoded vector of a row, as a query.
  std::vector<float> decoded(size_t row) const {
    return {decoded_.begin() + static_cast<ptrdiff_t>(row * dims_),
            decoded_.begin() + static_cast<ptrdiff_t>((row + 1) * dims_)};
  }

  float distance(const std::vector<float> &query, uint32_t row) const {
    return simd::kernels().l2_squared_f32(query.data(), decoded_.data() + row * dims_, dims_);
  }

 private:
  std::vector<float> prepare(const std::vector<float> &vector) const {
    std::vector<float> x(dims_);
    for (size_t i = 0; i < vector.size(); ++i) x[i] = vector[i] - mean_[i];
    quantize::Rotation{static_cast<uint32_t>(dims_), signs_.data()}.apply(x.data());
    return x;
  }

  size_t dims_;
  std::vector<float> mean_;
  std::vector<uint64_t> signs_;
  std::vector<int8_t> values_;
  std::vector<quantize::ByteCode> codes_;
  std::vector<float> decoded_;  // [rows][dims]
  std::vector<std::vector<float>> queries_;
};

// A graph with positions of the set for ranks, its order being the identity then.
inline Graph by_position(const Graph &graph) {
  Graph out = graph;
  for (size_t rank = 0; rank < graph.rows; ++rank) {
    for (size_t i = 0; i < graph.degree; ++i) {
      const uint32_t neighbor = graph.neighbors[rank * graph.degree + i];
      out.neighbors[size_t{graph.order[rank]} * graph.degree + i] =
          neighbor == kNoRow ? kNoRow : graph.order[neighbor];
    }
  }
  if (graph.rows > 0) out.entry = graph.order[graph.entry];
  return out;
}

struct Found {
  float distance;
  uint32_t row;
  bool operator<(const Found &other) const {
    return distance != other.distance ? distance < other.distance : row < other.row;
  }
};

inline std::vector<uint32_t> nearest_rows(std::vector<Found> found, size_t k) {
  k = std::min(k, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(k), found.end());
  std::vector<uint32_t> rows(k);
  for (size_t i = 0; i < k; ++i) rows[i] = found[i].row;
  return rows;
}

inline std::vector<uint32_t> exact_search(const ByteSet &data, const std::vector<float> &query,
                                          size_t k) {
  std::vector<Found> found(data.size());
  for (uint32_t row = 0; row < data.size(); ++row) found[row] = {data.distance(query, row), row};
  return nearest_rows(std::move(found), k);
}

// SEARCH-LAYER of Malkov & Yashunin 2018 (Algorithm 2) from the graph's entry. `visited` is per
// row, all zero on entry and on return. Graphs of all rows only (position = row).
inline std::vector<uint32_t> beam_search(const ByteSet &data, const Graph &graph,
                                         const std::vector<float> &query, size_t beam, size_t k,
                                         std::vector<uint8_t> &visited) {
  const auto farther = [](const Found &a, const Found &b) { return b < a; };
  std::priority_queue<Found, std::vector<Found>, decltype(farther)> frontier(farther);
  std::priority_queue<Found> best;
  std::vector<uint32_t> touched{graph.entry};
  visited[graph.entry] = 1;
  frontier.push({data.distance(query, graph.entry), graph.entry});
  best.push(frontier.top());
  while (!frontier.empty()) {
    const Found current = frontier.top();
    if (best.size() == beam && best.top() < current) break;
    frontier.pop();
    for (uint32_t i = 0; i < graph.degree; ++i) {
      const uint32_t row = graph.neighbors[size_t{current.row} * graph.degree + i];
      if (row == kNoRow || visited[row]) continue;
      visited[row] = 1;
      touched.push_back(row);
      const Found next{data.distance(query, row), row};
      if (best.size() == beam && best.top() < next) continue;
      frontier.push(next);
      best.push(next);
      if (best.size() > beam) best.pop();
    }
  }
  for (const uint32_t row : touched) visited[row] = 0;
  std::vector<Found> found;
  for (; !best.empty(); best.pop()) found.push_back(best.top());
  return nearest_rows(std::move(found), k);
}

// Share of the true k nearest of each query that a beam search finds.
inline double mean_recall(const ByteSet &data, const Graph &graph,
                          const std::vector<std::vector<uint32_t>> &truth, size_t beam) {
  std::vector<uint8_t> visited(data.size());
  size_t hits = 0;
  size_t wanted = 0;
  for (size_t q = 0; q < truth.size(); ++q) {
    const auto found = beam_search(data, graph, data.queries()[q], beam, truth[q].size(), visited);
    for (const uint32_t row : found) {
      hits += std::find(truth[q].begin(), truth[q].end(), row) != truth[q].end();
    }
    wanted += truth[q].size();
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

// Rows around centres drawn from a `latent`-dimensional space, which is how real embeddings behave.
inline Vectors clustered_vectors(size_t rows, size_t dims, size_t clusters, float spread,
                                 uint64_t seed, size_t latent = 12) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Vectors basis(latent, std::vector<float>(dims));
  Vectors centres(clusters, std::vector<float>(latent));
  for (auto &vector : basis) {
    for (float &x : vector) x = normal(random);
  }
  for (auto &vector : centres) {
    for (float &x : vector) x = normal(random);
  }
  Vectors vectors(rows, std::vector<float>(dims));
  for (size_t row = 0; row < rows; ++row) {
    const auto &centre = centres[random() % clusters];
    for (size_t j = 0; j < latent; ++j) {
      const float coordinate = centre[j] + spread * normal(random);
      for (size_t i = 0; i < dims; ++i) vectors[row][i] += coordinate * basis[j][i];
    }
    for (float &x : vectors[row]) x += 0.1f * normal(random);
  }
  return vectors;
}

}  // namespace vann::build::test

// ground_truth.cpp — brute-force search with a bounded heap per query, shared among threads.
#include "ground_truth.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <fstream>
#include <iostream>
#include <queue>
#include <stdexcept>
#include <thread>

namespace vann::bench {
namespace {

float dot(const float *a, const float *b, size_t n) {
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

float squared_difference(const float *a, const float *b, size_t n) {
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// FNV-1a over the values' bits.
uint64_t checksum(const Matrix &matrix, uint64_t hash) {
  for (const float value : matrix.values) {
    hash = (hash ^ std::bit_cast<uint32_t>(value)) * 0x100000001b3u;
  }
  return hash;
}

std::string cache_name(const Dataset &data) {
  const uint64_t hash = checksum(data.queries, checksum(data.base, 0xcbf29ce484222325u));
  return "truth-" + data.name + "-" + std::to_string(data.base.rows) + "-" +
         std::to_string(data.queries.rows) + "-" + std::to_string(hash) + ".bin";
}

}  // namespace

GroundTruth::GroundTruth(const Dataset &data, const std::string &cache) : data_(data) {
  if (data.base.rows < kKept) throw std::runtime_error("too few rows for exact neighbors");
  base_scale_.assign(data.base.rows, 1.0f);
  if (data.metric == Metric::kCosine) {
    for (size_t i = 0; i < data.base.rows; ++i) {
      const float norm = dot(data.base.row(i), data.base.row(i), data.base.dims);
      base_scale_[i] = norm > 0 ? 1 / std::sqrt(norm) : 0;
    }
  }
  const std::string path = cache + "/" + cache_name(data);
  if (read(path)) return;
  std::cerr << "computing exact neighbors (kept in " << path << ")\n";
  compute();
  write(path);
}

// Orders like the metric. Cosine leaves out the query's length, which is the same for all rows.
float GroundTruth::distance(size_t query, size_t row) const {
  const float *q = data_.queries.row(query);
  const float *x = data_.base.row(row);
  if (data_.metric == Metric::kL2) return squared_difference(q, x, data_.base.dims);
  return -dot(q, x, data_.base.dims) * base_scale_[row];
}

void GroundTruth::compute() {
  neighbors_.resize(data_.queries.rows * kKept);
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back([&] {
      for (size_t query; (query = next++) < data_.queries.rows;) compute_query(query);
    });
  }
}

void GroundTruth::compute_query(size_t query) {
  using Candidate = std::pair<float, uint32_t>;
  std::priority_queue<Candidate> nearest;
  for (size_t row = 0; row < data_.base.rows; ++row) {
    const Candidate candidate{distance(query, row), static_cast<uint32_t>(row)};
    if (nearest.size() < kKept) {
      nearest.push(candidate);
    } else if (candidate < nearest.top()) {
      nearest.pop();
      nearest.push(candidate);
    }
  }
  for (size_t i = kKept; i-- > 0; nearest.pop()) {
    neighbors_[query * kKept + i] = nearest.top().second;
  }
}

bool GroundTruth::read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  neighbors_.resize(data_.queries.rows * kKept);
  const auto bytes = static_cast<std::streamsize>(neighbors_.size() * sizeof(uint32_t));
  file.read(reinterpret_cast<char *>(neighbors_.data()), bytes);
  return file.gcount() == bytes && file.peek() == std::ifstream::traits_type::eof();
}

void GroundTruth::write(const std::string &path) const {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(neighbors_.data()),
             static_cast<std::streamsize>(neighbors_.size() * sizeof(uint32_t)));
  if (!file.flush()) throw std::runtime_error("could not write " + path);
}

double GroundTruth::recall(const std::vector<std::vector<int64_t>> &found, size_t k,
                           const Present &present) const {
  size_t hits = 0;
  for (size_t query = 0; query < found.size(); ++query) {
    size_t seen = 0;
    size_t i = 0;
    for (; i < kKept && seen < k; ++i) seen += present(neighbors_[query * kKept + i]);
    if (seen < k) throw std::runtime_error("too few of the exact neighbors are left");
    const float worst = distance(query, neighbors_[query * kKept + i - 1]);
    const float limit = worst + 1e-6f * std::fabs(worst);
    std::vector<int64_t> rows = found[query];
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    hits += static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [&](int64_t row) {
      return distance(query, static_cast<size_t>(row)) <= limit;
    }));
  }
  return static_cast<double>(hits) / static_cast<double>(found.size() * k);
}

}  // namespace vann::bench

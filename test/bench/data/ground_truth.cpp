// ground_truth.cpp — the cache of exact answers, and recall.
#include "bench/data/ground_truth.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace vann::bench {
namespace {

// FNV-1a over the values' bits.
uint64_t checksum(const Matrix &matrix, uint64_t hash) {
  for (const float value : matrix.values) {
    hash = (hash ^ std::bit_cast<uint32_t>(value)) * 0x100000001b3u;
  }
  return hash;
}

std::string cache_name(const Dataset &data, RowRange rows, const std::string &tag) {
  const uint64_t hash = checksum(data.queries, checksum(data.base, 0xcbf29ce484222325u));
  return "truth-" + data.name + "-" + metric_name(data.metric) + "-" + tag + "-" +
         std::to_string(rows.first) + "-" + std::to_string(rows.last) + "-" +
         std::to_string(data.queries.rows) + "-" + std::to_string(hash) + ".bin";
}

}  // namespace

GroundTruth::GroundTruth(const Dataset &data, RowRange rows, const std::string &cache,
                         const std::string &tag, const Allowed &allowed)
    : data_(data), rows_(rows), allowed_(allowed) {
  const std::string path = cache.empty() ? "" : cache + "/" + cache_name(data, rows, tag);
  if (!path.empty() && read(path)) return;
  neighbors_ = exact_neighbors(data, rows, kKept, allowed);
  if (!path.empty()) write(path);
}

// Each query's count, then its rows.
bool GroundTruth::read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  neighbors_.assign(data_.queries.rows, {});
  for (std::vector<uint32_t> &rows : neighbors_) {
    uint32_t n = 0;
    file.read(reinterpret_cast<char *>(&n), sizeof n);
    if (!file || n > kKept) return false;
    rows.resize(n);
    file.read(reinterpret_cast<char *>(rows.data()), static_cast<std::streamsize>(n * sizeof n));
  }
  return file && file.peek() == std::ifstream::traits_type::eof();
}

void GroundTruth::write(const std::string &path) const {
  std::ofstream file(path, std::ios::binary);
  for (const std::vector<uint32_t> &rows : neighbors_) {
    const auto n = static_cast<uint32_t>(rows.size());
    file.write(reinterpret_cast<const char *>(&n), sizeof n);
    file.write(reinterpret_cast<const char *>(rows.data()),
               static_cast<std::streamsize>(n * sizeof n));
  }
  if (!file.flush()) throw std::runtime_error("could not write " + path);
}

double GroundTruth::distance(size_t query, size_t row) const {
  return exact_distance(data_.metric, data_.queries.row(query), data_.base.row(row), data_.dims());
}

double GroundTruth::recall_of(size_t query, const std::vector<int64_t> &found, size_t k,
                              const Present &present) const {
  size_t wanted = 0;
  double worst = 0;
  for (size_t i = 0; i < neighbors_[query].size() && wanted < k; ++i) {
    const uint32_t row = neighbors_[query][i];
    if (present && !present(row)) continue;
    ++wanted;
    worst = distance(query, row);
  }
  if (wanted < k && neighbors_[query].size() == kKept) {
    throw std::runtime_error("too few of the exact neighbors are left");
  }
  if (wanted == 0) return 1;
  // Single precision, in which the server computes distances, cannot tell closer rows apart.
  const double limit = worst + 2e-6 * std::fabs(worst);
  std::vector<int64_t> rows = found;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  const auto hits = std::count_if(rows.begin(), rows.end(), [&](int64_t number) {
    const auto row = static_cast<size_t>(number);
    return number >= 0 && row >= rows_.first && row < rows_.last && (!present || present(row)) &&
           (!allowed_ || allowed_(query, row)) && distance(query, row) <= limit;
  });
  return std::min(1.0, static_cast<double>(hits) / static_cast<double>(wanted));
}

double GroundTruth::recall(const Found &found, size_t k, const Present &present) const {
  double total = 0;
  for (size_t query = 0; query < found.size(); ++query) {
    total += recall_of(query, found[query], k, present);
  }
  return total / static_cast<double>(std::max<size_t>(found.size(), 1));
}

}  // namespace vann::bench

// curve.hpp — what is measured of one engine, and the speed that it reaches at a given recall.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vann::bench {

// One pass over all queries.
struct Pass {
  std::vector<std::vector<int64_t>> found;  // [query][<= k] row numbers, nearest first
  std::vector<double> microseconds;         // [query]
};

struct SearchPoint {
  int ef_search;
  double recall;
  double queries_per_second;  // one backend, each query's fastest pass
  double p50;                 // microseconds, of the same times
  double p99;
  std::optional<double> buffers;  // shared buffers touched per query
};

struct EngineResult {
  std::string engine;
  std::string version;
  double build_seconds = 0;
  int64_t index_bytes = 0;
  std::vector<SearchPoint> curve;
  std::optional<double> inserts_per_second;
  std::optional<double> wal_bytes_per_insert;
  std::optional<double> vacuum_seconds;
  std::optional<double> recall_after_inserts;  // at kChangedEf
  std::optional<double> recall_after_vacuum;
};

// Beam of the searches after inserts and after VACUUM.
inline constexpr int kChangedEf = 100;

// Speed and latencies of at least one pass; recall and buffers are the caller's to fill in.
SearchPoint summarize(int ef_search, const std::vector<Pass> &passes);

// Queries per second at a recall, interpolated log-linearly between neighboring points. The first
// point's speed where even that exceeds the target; nothing where no point reaches it.
std::optional<double> speed_at_recall(const std::vector<SearchPoint> &curve, double target);

}  // namespace vann::bench

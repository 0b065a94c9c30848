// measure.cpp — how many lists a scan should read: for rows of the sample as queries, how far down
// the order of lists those of their nearest neighbours come.
#include "am/ivfpq/build/train.hpp"

#include "core/build/candidate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vann::ivfpq {

namespace {

// Neighbours whose lists are looked up, of all queries together, and how many a query has in the table.
constexpr size_t kMeasured = 2000;
constexpr size_t kNeighbors = 10;
constexpr size_t kMostQueries = 1000;
constexpr size_t kChunkRows = 256;

// The nearest ten of a table lie as near as the nearest one of a sample of a tenth.
size_t neighbors_in(const TrainInput &input) {
  const double share = static_cast<double>(input.sample->rows) / std::max(input.rows, 1.0);
  return static_cast<size_t>(std::ceil(kNeighbors * std::clamp(share, 0.01, 1.0)));
}

class Measurement {
 public:
  Measurement(const TrainInput &input, const Training &training)
      : sample_(*input.sample), training_(training), set_(sample_.set()),
        view_(set_, nullptr, set_.rows), neighbors_(neighbors_in(input)) {
    const size_t count = std::min({kMeasured / neighbors_, kMostQueries, sample_.rows});
    for (size_t i = 0; i < count; ++i)
      queries_.push_back(static_cast<uint32_t>(i * sample_.rows / count));
    if (sample_.lengths != nullptr)
      longest_ = *std::max_element(sample_.lengths, sample_.lengths + sample_.rows);
  }

  uint32_t probes(parallel::Team &team) {
    find_neighbors(team);
    const size_t lists = training_.centroids.count;
    std::vector<std::vector<uint32_t>> found(team.threads(), std::vector<uint32_t>(lists));
    team.run({.items = queries_.size(), .stage_total = queries_.size()},
             [&](parallel::Worker &worker, size_t begin, size_t end) {
               for (size_t i = begin; i < end; ++i) count_ranks(i, &found[worker.index()]);
             });
    for (size_t thread = 1; thread < found.size(); ++thread)
      for (size_t rank = 0; rank < lists; ++rank) found[0][rank] += found[thread][rank];
    return probes_for_share(found[0]);
  }

 private:
  struct Scratch {
    build::CodeGroup rows;
    build::DistanceTile tile;
    std::vector<uint32_t> ids;
    std::vector<build::NearestList> nearest;  // [queries]
  };

  // Nearest rows of each query and the query itself; what threads found is merged at the end.
  void find_neighbors(parallel::Team &team) {
    build::CodeGroup queries;
    queries.gather(view_, queries_);
    std::vector<Scratch> scratch(team.threads());
    for (Scratch &own : scratch) {
      own.nearest.resize(queries_.size());
      for (build::NearestList &list : own.nearest) list.reset(neighbors_ + 1, build::kNoCandidate);
    }
    team.run({.items = sample_.rows, .chunk = kChunkRows, .stage_total = sample_.rows},
             [&](parallel::Worker &worker, size_t begin, size_t end) {
               offer_rows(queries, begin, end, scratch[worker.index()]);
             });
    for (size_t i = 0; i < queries_.size(); ++i)
      for (size_t thread = 1; thread < scratch.size(); ++thread)
        for (const build::Candidate near : scratch[thread].nearest[i].list())
          scratch[0].nearest[i].offer(near);
    nearest_ = std::move(scratch[0].nearest);
  }

  void offer_rows(const build::CodeGroup &queries, size_t begin, size_t end, Scratch &own) const {
    own.ids.clear();
    for (size_t i = begin; i < end; ++i) own.ids.push_back(static_cast<uint32_t>(i));
    own.rows.gather(view_, own.ids);
    own.rows.pack();
    own.ids.resize(own.rows.columns());
    own.tile.multiply(queries, 0, queries_.size(), own.rows);
    for (size_t i = 0; i < queries_.size(); ++i) {
      float *distances = own.tile.row(i);
      if (sample_.lengths != nullptr) order_by_product(begin, end, distances);
      own.nearest[i].offer_all(distances, own.rows.columns(), own.ids.data());
    }
  }

  // From squared distances between unit vectors to what orders rows by their inner product with the
  // query, and is not negative: |x| (1 - cosine) + longest - |x|.
  void order_by_product(size_t begin, size_t end, float *distances) const {
    for (size_t i = begin; i < end; ++i) {
      const float length = sample_.lengths[i];
      distances[i - begin] = length * distances[i - begin] / 2 + (longest_ - length);
    }
  }

  // found[i]: neighbours in the list at rank i.
  static uint32_t probes_for_share(const std::vector<uint32_t> &found) {
    const double all = std::accumulate(found.begin(), found.end(), 0.0);
    double left = (1 - kFoundShare) * all;
    size_t rank = found.size();
    while (rank > 1 && found[rank - 1] <= left) left -= found[--rank];
    return static_cast<uint32_t>(rank);
  }

  // Where in the query's order of lists those of its neighbours come.
  void count_ranks(size_t query, std::vector<uint32_t> *found) const {
    const size_t dims = sample_.dims;
    const uint32_t row = queries_[query];
    std::vector<float> q(dims);
    quantize::decode_bytes(view_.values(row), view_.code(row).factors, dims, q.data());
    std::vector<float> keys(training_.centroids.count);
    for (size_t list = 0; list < keys.size(); ++list) keys[list] = key_of(q.data(), list);
    size_t counted = 0;
    for (const build::Candidate near : nearest_[query].list()) {
      const uint32_t neighbor = build::row_of(near);
      if (neighbor == row || counted++ == neighbors_) continue;
      const float key = keys[training_.lists[neighbor]];
      ++(*found)[static_cast<size_t>(
          std::count_if(keys.begin(), keys.end(), [key](float other) { return other < key; }))];
    }
  }

  // Orders lists as a scan does.
  float key_of(const float *q, size_t list) const {
    const simd::Kernels &kernels = simd::kernels();
    const float *centroid = training_.centroids.values.data() + list * sample_.dims;
    if (!training_.lengths.empty())
      return -training_.lengths[list] * kernels.dot_f32(q, centroid, sample_.dims);
    return kernels.l2_squared_f32(q, centroid, sample_.dims);
  }

  const Sample &sample_;
  const Training &training_;
  build::VectorSet set_;
  build::RowView view_;
  size_t neighbors_;  // of a query in the sample
  std::vector<uint32_t> queries_;
  float longest_ = 0;
  std::vector<build::NearestList> nearest_;
};

}  // namespace

uint32_t measure_probes(const TrainInput &input, const Training &training,
                        parallel::Monitor &monitor) {
  if (training.centroids.count <= 1 || input.sample->rows < 2) return 1;
  parallel::Team team(input.plan->threads, monitor);
  return Measurement(input, training).probes(team);
}

}  // namespace vann::ivfpq

// connect.cpp — breadth-first search from the entry, with repair as it goes. The search tree is
// kept, and only edges outside it are ever replaced: a repair cannot cut off what was reached.
#include "core/build/connect.hpp"

#include <algorithm>
#include <numeric>

#include "core/build/pivots.hpp"
#include "core/build/random.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::build {
namespace {

constexpr size_t kMeanSample = 16384;
constexpr size_t kRowsPerChunk = 1024;
constexpr size_t kPollRows = 16384;
// Reached rows that are compared with a row whose own neighbors are all unreached.
constexpr size_t kProbes = 1024;
constexpr int kStage = static_cast<int>(Stage::kConnect);

// The mean as a set of one byte-coded row.
struct Mean {
  std::vector<int8_t> values;
  quantize::ByteCode code;
};

Mean mean_of_sample(const RowView &view) {
  std::vector<uint32_t> ids(view.size());
  std::iota(ids.begin(), ids.end(), 0u);
  Random random(0, 0);
  const auto sample = stratified_sample(ids, std::min(ids.size(), kMeanSample), random);
  std::vector<float> mean(view.dims());
  for (const uint32_t row : sample) {
    add_decoded(view.values(row), view.code(row).factors.delta, view.dims(), mean.data());
  }
  for (float &value : mean) value /= static_cast<float>(sample.size());
  Mean result{std::vector<int8_t>(view.stride()), {}};
  result.code = quantize::encode_bytes(mean.data(), view.dims(), result.values.data());
  return result;
}

class Connector {
 public:
  Connector(const RowView &view, size_t degree, CandidateLists &lists, parallel::Team &team)
      : view_(view), degree_(degree), lists_(lists), team_(team), parent_(view.size(), kNoRow) {
    reached_.reserve(view.size());
  }

  size_t run(uint32_t entry);

 private:
  bool is_reached(uint32_t row) const noexcept { return parent_[row] != kNoRow; }
  void reach(uint32_t row, uint32_t parent);
  void search();
  Candidate *replaceable_slot(uint32_t row);
  bool link_from(uint32_t source, uint32_t row);
  bool link_from_neighbors(uint32_t row);
  void link_from_anywhere(uint32_t row);

  const RowView &view_;
  size_t degree_;
  CandidateLists &lists_;
  parallel::Team &team_;
  std::vector<uint32_t> parent_;   // [rows] in the search tree; the entry is its own
  std::vector<uint32_t> reached_;  // in the order of reaching, also the queue of the search
  size_t expanded_ = 0;            // rows of reached_ whose lists have been followed
};

void Connector::reach(uint32_t row, uint32_t parent) {
  parent_[row] = parent;
  reached_.push_back(row);
}

void Connector::search() {
  constexpr size_t kAhead = 4;
  while (expanded_ < reached_.size()) {
    if (expanded_ % kPollRows == 0) team_.poll(kStage, reached_.size(), view_.size());
    if (expanded_ + kAhead < reached_.size()) {
      const auto list = lists_.list(reached_[expanded_ + kAhead]);
      for (size_t i = 0; i < degree_; i += 8) __builtin_prefetch(list.data() + i);
    }
    const uint32_t row = reached_[expanded_++];
    for (const Candidate neighbor : lists_.list(row).first(degree_)) {
      if (!is_reached(row_of(neighbor))) reach(row_of(neighbor), row);
    }
  }
}

// The last slot of a row's list that is not an edge of the tree: fillers come last, far ones after
// near ones. Null when all are.
Candidate *Connector::replaceable_slot(uint32_t row) {
  const auto list = lists_.list(row);
  for (size_t i = degree_; i-- > 0;) {
    if (parent_[row_of(list[i])] != row) return &list[i];
  }
  return nullptr;
}

bool Connector::link_from(uint32_t source, uint32_t row) {
  Candidate *slot = replaceable_slot(source);
  if (slot == nullptr) return false;
  *slot = make_candidate(view_.distance(source, row), row);
  reach(row, source);
  return true;
}

bool Connector::link_from_neighbors(uint32_t row) {
  // Its first slots are its kept neighbors, nearest first, which is near enough to the best order.
  for (const Candidate neighbor : lists_.list(row).first(degree_)) {
    if (is_reached(row_of(neighbor)) && link_from(row_of(neighbor), row)) return true;
  }
  return false;
}

void Connector::link_from_anywhere(uint32_t row) {
  const size_t probes = std::min(kProbes, reached_.size());
  std::vector<Candidate> nearest;
  for (size_t i = 0; i < probes; ++i) {
    const uint32_t source = reached_[reached_.size() * i / probes];
    nearest.push_back(make_candidate(view_.distance(source, row), source));
  }
  std::sort(nearest.begin(), nearest.end());
  for (const Candidate source : nearest) {
    if (link_from(row_of(source), row)) return;
  }
  // A tree over r rows has r - 1 edges, so some reached row has a free slot; the last row reached
  // has no children yet.
  link_from(reached_.back(), row);
}

size_t Connector::run(uint32_t entry) {
  size_t replaced = 0;
  reach(entry, entry);
  search();
  for (uint32_t row = 0; row < view_.size() && reached_.size() < view_.size(); ++row) {
    if (is_reached(row)) continue;
    if (replaced % 64 == 0) team_.poll(kStage, reached_.size(), view_.size());
    if (!link_from_neighbors(row)) link_from_anywhere(row);
    ++replaced;
    search();
  }
  team_.poll(kStage, reached_.size(), view_.size());
  return replaced;
}

}  // namespace

uint32_t find_entry(const RowView &view, parallel::Team &team) {
  const Mean mean = mean_of_sample(view);
  const VectorSet mean_set{1, view.dims(), mean.values.data(), &mean.code, {}};
  const uint32_t first = 0;
  CodeGroup centre;
  centre.gather(RowView(mean_set, nullptr, 1), {&first, 1});
  centre.pack();

  std::vector<PivotScratch> scratch(team.threads());
  std::vector<Candidate> nearest(team.threads(), kNoCandidate);
  const parallel::Loop loop{kStage, view.size(), kRowsPerChunk, 0, view.size()};
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    PivotScratch &own = scratch[worker.index()];
    std::vector<uint32_t> ids(end - begin);
    std::iota(ids.begin(), ids.end(), static_cast<uint32_t>(begin));
    own.rows.gather(view, ids);
    own.tile.multiply(own.rows, 0, ids.size(), centre);
    Candidate &best = nearest[worker.index()];
    for (size_t i = 0; i < ids.size(); ++i) {
      const float distance = own.tile.row(i)[0];
      if (distance == distance) best = std::min(best, make_candidate(distance, ids[i]));
    }
  });
  const Candidate best = *std::min_element(nearest.begin(), nearest.end());
  return best == kNoCandidate ? 0 : row_of(best);
}

size_t connect_rows(const RowView &view, size_t degree, uint32_t entry, CandidateLists &lists,
                    parallel::Team &team) {
  return Connector(view, degree, lists, team).run(entry);
}

}  // namespace vann::build

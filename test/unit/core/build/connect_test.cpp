// connect_test.cpp — repairs reach every row, with few replacements and none that cuts off others,
// wherever the lists lie.
#include "core/build/connect.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/build/entry.hpp"
#include "core/build/random.hpp"
#include "../parallel/monitors.hpp"
#include "byte_set.hpp"

namespace vann::build {
namespace {

using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;
using test::ByteSet;
using test::clustered_vectors;

using Slots = std::vector<Candidate>;  // [rows][degree]

// Lists in a file. What it hands out is a copy that ends with the next call.
class FileLinks final : public Links {
 public:
  FileLinks(const RowView &view, size_t degree, const Slots &slots)
      : view_(view), degree_(degree), file_(std::tmpfile(), &std::fclose) {
    EXPECT_EQ(std::fwrite(slots.data(), sizeof(Candidate), slots.size(), file_.get()),
              slots.size());
  }

  size_t rows() const noexcept override { return view_.size(); }
  size_t degree() const noexcept override { return degree_; }

  Rows load(uint32_t begin, size_t count, bool changes) override {
    put_back();
    EXPECT_GT(count, 0u);
    EXPECT_LE(count, kRowsAtOnce);
    EXPECT_LE(begin + count, rows());
    ++loads;
    rows_loaded += count;
    begin_ = begin;
    changes_ = changes;
    loaded_ = read(begin, count);
    return {loaded_.data(), degree_};
  }

  float distance(uint32_t a, uint32_t b) override {
    put_back();
    ++distances;
    return view_.distance(a, b);
  }

  Slots all() {
    put_back();
    return read(0, rows());
  }

  size_t loads = 0;
  size_t rows_loaded = 0;
  size_t distances = 0;

 private:
  void seek(size_t row) {
    const auto offset = static_cast<long>(row * degree_ * sizeof(Candidate));
    EXPECT_EQ(std::fseek(file_.get(), offset, SEEK_SET), 0);
  }

  Slots read(size_t begin, size_t count) {
    Slots slots(count * degree_);
    seek(begin);
    EXPECT_EQ(std::fread(slots.data(), sizeof(Candidate), slots.size(), file_.get()), slots.size());
    return slots;
  }

  void put_back() {
    if (changes_) {
      seek(begin_);
      EXPECT_EQ(std::fwrite(loaded_.data(), sizeof(Candidate), loaded_.size(), file_.get()),
                loaded_.size());
    } else if (!loaded_.empty()) {
      EXPECT_EQ(loaded_, read(begin_, loaded_.size() / degree_)) << "changed without notice";
    }
    changes_ = false;
    loaded_ = {};  // frees it: the address sanitizer sees who still looks at it
  }

  const RowView &view_;
  size_t degree_;
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> file_;
  uint32_t begin_ = 0;
  bool changes_ = false;
  Slots loaded_;
};

// Rows that are reached from `entry` along the slots that `follow` accepts.
template <class Follow>
size_t reachable(const Slots &slots, size_t degree, uint32_t entry, Follow follow) {
  std::vector<uint8_t> seen(slots.size() / degree);
  std::vector<uint32_t> stack{entry};
  seen[entry] = 1;
  size_t count = 0;
  while (!stack.empty()) {
    const size_t row = stack.back();
    stack.pop_back();
    ++count;
    for (size_t i = row * degree; i < (row + 1) * degree; ++i) {
      const uint32_t neighbor = row_of(unmarked(slots[i]));
      if (!follow(slots[i]) || seen[neighbor]) continue;
      seen[neighbor] = 1;
      stack.push_back(neighbor);
    }
  }
  return count;
}

// A graph over real distances, and what connecting it does.
class Connected {
 public:
  // Row r is linked to the rows that `target(r, slot)` names.
  template <class Target>
  Connected(const RowView &view, size_t degree, uint32_t entry, Target target) : degree_(degree) {
    for (uint32_t row = 0; row < view.size(); ++row) {
      for (uint32_t slot = 0; slot < degree; ++slot) {
        const uint32_t other = target(row, slot);
        before_.push_back(make_candidate(view.distance(row, other), other));
      }
    }
    FileLinks links(view, degree, before_);
    replaced = connect_rows(links, entry, team_);
    loads = links.loads;
    rows_loaded = links.rows_loaded;
    distances = links.distances;
    after_ = links.all();
    expect_sound(view, entry);
    expect_same_in_memory(view, entry);
  }

  size_t replaced;
  size_t loads;
  size_t rows_loaded;
  size_t distances;

  const Slots &after() const { return after_; }

 private:
  void expect_sound(const RowView &view, uint32_t entry) const {
    const size_t rows = view.size();
    EXPECT_EQ(reachable(after_, degree_, entry, [](Candidate) { return true; }), rows);
    // The marked edges alone are a tree over all rows.
    EXPECT_EQ(reachable(after_, degree_, entry, is_tree_edge), rows);
    EXPECT_EQ(std::count_if(after_.begin(), after_.end(), is_tree_edge), rows - 1);
    size_t different = 0;
    for (size_t i = 0; i < after_.size(); ++i) {
      const Candidate slot = unmarked(after_[i]);
      different += slot != before_[i];
      const auto row = static_cast<uint32_t>(i / degree_);
      ASSERT_EQ(slot, make_candidate(view.distance(row, row_of(slot)), row_of(slot)));
    }
    EXPECT_EQ(different, replaced);
  }

  void expect_same_in_memory(const RowView &view, uint32_t entry) {
    CandidateLists lists(view.size(), degree_ + 1, team_);
    for (size_t row = 0; row < view.size(); ++row) {
      std::copy_n(before_.begin() + static_cast<ptrdiff_t>(row * degree_), degree_,
                  lists.list(static_cast<uint32_t>(row)).begin());
    }
    ListLinks links(view, degree_, lists);
    EXPECT_EQ(connect_rows(links, entry, team_), replaced);
    Slots slots;
    for (size_t row = 0; row < view.size(); ++row) {
      const auto list = lists.list(static_cast<uint32_t>(row));
      slots.insert(slots.end(), list.begin(), list.end() - 1);
      ASSERT_EQ(list.back(), kNoCandidate);
    }
    EXPECT_EQ(slots, after_);
  }

  RecordingMonitor monitor_;
  parallel::Team team_{2, monitor_};
  size_t degree_;
  Slots before_;
  Slots after_;
};

class Connect : public testing::Test {
 protected:
  static constexpr uint32_t kRows = 1000;
  static constexpr uint32_t kDegree = 4;

  template <class Target>
  Connected connect(uint32_t entry, Target target) {
    return Connected(view_, kDegree, entry, target);
  }

  ByteSet data_{clustered_vectors(kRows, 16, 10, 0.5f, 2)};
  VectorSet set_ = data_.set();
  RowView view_{set_, nullptr, kRows};
  RecordingMonitor monitor_;
  parallel::Team team_{2, monitor_};
};

TEST_F(Connect, LeavesAConnectedGraphAlone) {
  const auto graph =
      connect(17, [](uint32_t row, uint32_t slot) { return (row + 1 + slot) % kRows; });
  EXPECT_EQ(graph.replaced, 0u);
}

TEST_F(Connect, JoinsSeparateRings) {
  // 100 rings of 10 rows: 99 repairs, no more.
  const auto graph = connect(
      17, [](uint32_t row, uint32_t slot) { return row / 10 * 10 + (row + 1 + slot) % 10; });
  EXPECT_EQ(graph.replaced, 99u);
}

TEST_F(Connect, ReachesRowsThatNobodyLinks) {
  // All lists lead into the first ten rows: every other row needs an edge of its own.
  const auto graph = connect(3, [](uint32_t row, uint32_t slot) {
    return (row + 1 + slot) % 10 == row ? 9u : (row + 1 + slot) % 10;
  });
  EXPECT_EQ(graph.replaced, kRows - 10);
}

TEST_F(Connect, KeepsChainsThatHaveNoSpareEdge) {
  // Two chains whose lists repeat one edge: cutting any first slot would lose the rest.
  const auto graph =
      connect(0, [](uint32_t row, uint32_t) { return row % 500 == 499 ? row - 499 : row + 1; });
  EXPECT_EQ(graph.replaced, 1u);
}

TEST_F(Connect, ReplacesTheLastSlotThatIsNotOfTheTree) {
  // Row 999 is in no list; its own list leads to rows 5, 6, 7 and 8. Only the last slot of row 5, to
  // row 9, leads to a row that is not reached before.
  const auto graph = connect(0, [](uint32_t row, uint32_t slot) {
    return row == 999 ? 5 + slot : (row + 1 + slot) % 999;
  });
  EXPECT_EQ(graph.replaced, 1u);
  EXPECT_EQ(row_of(unmarked(graph.after()[5 * kDegree + 3])), 9u);
  EXPECT_EQ(row_of(unmarked(graph.after()[5 * kDegree + 2])), 999u);
  EXPECT_EQ(graph.distances, 0u);
}

TEST_F(Connect, PassesOverSourcesWithoutAFreeSlot) {
  // A tree in which every inner row has four children, and nothing else but leaves that lead to the
  // root. Row 999 is in no list and knows inner rows only.
  const auto graph = connect(0, [](uint32_t row, uint32_t slot) {
    if (row == 999) return slot;
    const uint32_t child = row * 4 + 1 + slot;
    return child < 999 ? child : 0;
  });
  EXPECT_EQ(graph.replaced, 1u);
  for (size_t i = 0; i < 4 * kDegree; ++i) EXPECT_NE(row_of(unmarked(graph.after()[i])), 999u);
}

TEST_F(Connect, WorksWithOneSlotPerRow) {
  // Every row leads to itself: a tree of one slot per row can only be a chain.
  const RowView some(set_, nullptr, 200);
  const Connected graph(some, 1, 100, [](uint32_t row, uint32_t) { return row; });
  EXPECT_EQ(graph.replaced, 199u);
}

TEST_F(Connect, ConnectsOneRow) {
  const RowView one(set_, nullptr, 1);
  const Connected graph(one, kDegree, 0, [](uint32_t, uint32_t) { return 0u; });
  EXPECT_EQ(graph.replaced, 0u);
}

TEST_F(Connect, CanBeCancelled) {
  CancellingMonitor monitor(3);
  parallel::Team team(2, monitor);
  Slots slots;
  for (uint32_t row = 0; row < kRows; ++row) slots.insert(slots.end(), kDegree, Candidate{row});
  FileLinks links(view_, kDegree, slots);
  EXPECT_THROW(connect_rows(links, 0, team), parallel::Cancelled);
}

// Larger graphs, whose rows are in many blocks.
class ConnectBlocks : public testing::Test {
 protected:
  static constexpr uint32_t kRows = 20 * Links::kRowsAtOnce + 77;
  static constexpr uint32_t kDegree = 4;

  template <class Target>
  Connected connect(uint32_t entry, Target target) {
    return Connected(view_, kDegree, entry, target);
  }

  // The rows in a random order, as places in it.
  static std::vector<uint32_t> shuffled() {
    std::vector<uint32_t> order(kRows);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    return order;
  }

  ByteSet data_{clustered_vectors(kRows, 16, 40, 0.05f, 3)};
  VectorSet set_ = data_.set();
  RowView view_{set_, nullptr, kRows};
};

TEST_F(ConnectBlocks, ReadsAnAscendingChainOnce) {
  const auto graph =
      connect(0, [](uint32_t row, uint32_t) { return row + 1 < kRows ? row + 1 : row; });
  EXPECT_EQ(graph.replaced, 0u);
  EXPECT_EQ(graph.rows_loaded, kRows);
}

TEST_F(ConnectBlocks, ReadsADescendingChainOnce) {
  const auto graph =
      connect(kRows - 1, [](uint32_t row, uint32_t) { return row > 0 ? row - 1 : row; });
  EXPECT_EQ(graph.replaced, 0u);
  EXPECT_EQ(graph.rows_loaded, kRows);
}

TEST_F(ConnectBlocks, ReadsChainsInAnyOrderInProportion) {
  // Every row of a random order leads to the one 200 places on; the first leads to four of them.
  constexpr uint32_t kChains = 200;
  const std::vector<uint32_t> order = shuffled();
  std::vector<uint32_t> next(kRows);
  for (uint32_t i = 0; i < kRows; ++i) next[order[i]] = order[std::min(i + kChains, kRows - 1)];
  const auto graph = connect(order[0], [&](uint32_t row, uint32_t slot) {
    return row == order[0] && slot > 0 ? order[slot] : next[row];
  });
  EXPECT_LT(graph.rows_loaded, 2 * kRows);
}

TEST_F(ConnectBlocks, ReadsALocalGraphAboutOnce) {
  // As in a build: most edges lead to rows near in rank, some far away.
  constexpr uint32_t kSlots = 16;
  const Connected graph(view_, kSlots, kRows / 2, [](uint32_t row, uint32_t slot) {
    const uint32_t span = slot == kSlots - 1 ? kRows : 400;
    const auto random = static_cast<uint32_t>(Random(row, slot).below(span));
    return (row + kRows - span / 2 + random) % kRows;
  });
  EXPECT_LT(graph.rows_loaded, kRows * 11 / 10);
  EXPECT_LT(graph.loads, kRows / 50);
}

TEST_F(ConnectBlocks, ReachesALargeComponentByOneEdge) {
  // Even rows lead to even ones, odd rows to odd ones.
  const auto graph = connect(kRows / 2, [](uint32_t row, uint32_t slot) {
    const uint32_t other = row + 2 * (slot * slot * 50 + 1);
    return other < kRows ? other : row % 2;
  });
  EXPECT_EQ(graph.replaced, 1u);
  EXPECT_LT(graph.rows_loaded, 3 * kRows);
}

TEST_F(ConnectBlocks, JoinsSeparateRingsOfScatteredRows) {
  // Rings of 64 rows that know nothing of each other, in random order.
  const std::vector<uint32_t> order = shuffled();
  std::vector<uint32_t> place(kRows);
  for (uint32_t i = 0; i < kRows; ++i) place[order[i]] = i;
  const auto graph = connect(order[0], [&](uint32_t row, uint32_t slot) {
    const uint32_t ring = place[row] / 64 * 64;
    return order[ring + (place[row] - ring + 1 + slot) % std::min(64u, kRows - ring)];
  });
  EXPECT_EQ(graph.replaced, (kRows + 63) / 64 - 1);
  EXPECT_LE(graph.distances, 1024 * graph.replaced);
  EXPECT_LT(graph.rows_loaded, 3 * kRows);
}

TEST_F(ConnectBlocks, FindsRoomWhereAllProbesAreFull) {
  // A tree of 4,097 rows whose 1,024 inner rows are just those that are probed, all of four children;
  // leaves lead to the root. The last row is in no list and leads to itself.
  constexpr uint32_t kInner = 1024;
  constexpr uint32_t kLast = kDegree * kInner + 1;
  const auto non_root = [](uint32_t i) {  // inner rows first
    if (i < kInner - 1) return kDegree * (i + 1);
    i -= kInner - 1;
    return i < 3 * kInner ? i / 3 * kDegree + 1 + i % 3 : kLast - 1;
  };
  const RowView view(set_, nullptr, kLast + 1);
  const Connected graph(view, kDegree, 0, [&](uint32_t row, uint32_t slot) {
    if (row == kLast) return row;
    return row % kDegree == 0 && row < kLast - 1 ? non_root(row + slot) : 0;
  });
  EXPECT_EQ(graph.replaced, 1u);
  EXPECT_EQ(graph.distances, kInner + 1);
}

TEST_F(ConnectBlocks, ReachesManyRowsThatNobodyLinks) {
  // Lists lead to every fifth row only.
  constexpr uint32_t kSome = 4 * Links::kRowsAtOnce + 77;
  const RowView some(set_, nullptr, kSome);
  const Connected graph(some, kDegree, 10, [](uint32_t row, uint32_t slot) {
    const uint32_t other = row / 5 * 5 + 5 * (slot + 1);
    return other < kSome ? other : slot * 5;
  });
  EXPECT_EQ(graph.replaced, kSome - (kSome + 4) / 5);
  EXPECT_LT(graph.rows_loaded, 8 * kSome);
}

TEST_F(Connect, EntryIsNearestTheMean) {
  std::vector<float> mean(16);
  for (size_t row = 0; row < kRows; ++row) {
    const std::vector<float> decoded = data_.decoded(row);
    for (size_t i = 0; i < 16; ++i) mean[i] += decoded[i] / kRows;
  }
  const auto nearest = test::exact_search(data_, mean, 3);
  const uint32_t entry = find_entry(view_, team_);
  EXPECT_NE(std::find(nearest.begin(), nearest.end(), entry), nearest.end());
}

}  // namespace
}  // namespace vann::build

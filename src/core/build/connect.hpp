// connect.hpp — makes every row reachable from the entry row. See README.md,
// "Connect".
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/build/candidate_lists.hpp"
#include "core/build/code_group.hpp"
#include "core/parallel/team.hpp"

namespace vann::build {

// What connecting needs of a graph, in memory or in a file. Used by the starting thread only. load()
// and distance() may throw what the storage throws.
class Links {
 public:
  static constexpr size_t kRowsAtOnce = 1024;

  // Slot s of the i-th loaded row is first[i * stride + s].
  struct Rows {
    Candidate *first;
    size_t stride;
  };

  Links() = default;
  Links(const Links &) = delete;
  Links &operator=(const Links &) = delete;
  virtual ~Links() = default;

  virtual size_t rows() const noexcept = 0;    // > 0, below 2^31
  virtual size_t degree() const noexcept = 0;  // slots of a row, > 0; all are in use

  // The slots of rows [begin, begin + count), 0 < count <= kRowsAtOnce; valid until the next call of
  // load() or distance(). Only with `changes` are they written to; a file then takes them back at the
  // next call, and the last ones when whoever connects says that it is done.
  virtual Rows load(uint32_t begin, size_t count, bool changes) = 0;
  // Squared L2 between two decoded rows, computed as those in the slots are.
  virtual float distance(uint32_t a, uint32_t b) = 0;
};

// The lists of a build in memory. Owns neither.
class ListLinks final : public Links {
 public:
  // The first `degree` slots of every list.
  ListLinks(const RowView &view, size_t degree, CandidateLists &lists) noexcept
      : view_(view), degree_(degree), lists_(lists) {}

  size_t rows() const noexcept override { return view_.size(); }
  size_t degree() const noexcept override { return degree_; }
  Rows load(uint32_t begin, size_t, bool) override {
    return {lists_.list(begin).data(), lists_.length()};
  }
  float distance(uint32_t a, uint32_t b) override { return view_.distance(a, b); }

 private:
  const RowView &view_;
  size_t degree_;
  CandidateLists &lists_;
};

// Replaces as few slots as it takes to reach every row from `entry`, fillers before neighbors and
// far ones before near ones. Afterwards slots are no longer sorted, and those of the search tree
// bear kTreeEdge, as none may before. Deterministic, single-threaded; two bits of memory per row.
// Mostly each row is loaded once, and in ascending order but for a few. Returns the number of replaced
// slots. Throws parallel::Cancelled, std::bad_alloc and what `links` throws.
size_t connect_rows(Links &links, uint32_t entry, parallel::Team &team);

}  // namespace vann::build

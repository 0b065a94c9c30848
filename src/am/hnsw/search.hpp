// search.hpp — best-first search over record pages: one page access per hop. Holds one shared page lock
// at a time, none on return. See README.md, "Search".
#pragma once

#include "am/hnsw/edges.hpp"
#include "am/hnsw/index.hpp"
#include "core/graph/frontier.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace vann::hnsw {

// How distances are measured on the way.
enum class Measure : uint8_t {
  kMetric,  // by the index's metric: scans
  kLength,  // by squared L2 whatever the metric: inserts, which link by L2
};

// What a search needs to know. `query` is prepared for the layout's shape; `scratch` (shape.dims
// floats) and `parent_memory` (query_bytes) serve kLength under the inner product only.
struct SearchPlan {
  const Index *index;
  const quantize::PreparedQuery *query;
  Measure measure;
  float *scratch;
  uint8_t *parent_memory;
};

// What expanding a record tells.
struct Expanded {
  float anchor;    // base of the neighbors' estimates (see OwnEstimate), or squared L2 for kLength
  float distance;  // estimate for the element itself
  float error;     // its standard deviation
  XLogRecPtr page_lsn;  // of the record's page, for those who come back to change it
};

// Distances from the query to the record and to all its neighbors (out[degree]).
Expanded measure_record(const SearchPlan &plan, ConstRecord record, float *out);

// The record that will be expanded next, on its way from memory. Its cache lines are asked for a quarter
// at a time while another record is measured: more at once than a core can wait for would hold it up.
class Ahead {
 public:
  Ahead() = default;
  Ahead(const Index &index, const graph::Offer &offer) {
    const Layout &layout = index.layout();
    const char *page = pg::prefetch_recent(index.relation, block_of(offer.node, layout));
    if (page == nullptr) return;
    line_ = page + kPageHeaderBytes + size_t{slot_of(offer.node, layout)} * layout.stride;
    end_ = line_ + layout.stride;
    quarter_ = layout.stride / 4;
  }

  void fetch_quarter() {
    for (const char *stop = std::min(line_ + quarter_, end_); line_ < stop; line_ += kCacheLine)
      __builtin_prefetch(line_, 0, 2);
  }

 private:
  static constexpr size_t kCacheLine = 64;

  const char *line_ = nullptr;
  const char *end_ = nullptr;
  size_t quarter_ = 0;
};

// Reads the offered record if it is still the one that was offered, calls visit(record, expanded)
// under its page's share lock, and offers its neighbors to the frontier.
template <class Visit>
void expand(const SearchPlan &plan, const graph::Offer &offer, int level,
            graph::Frontier &frontier, Ahead ahead, Visit &&visit) {
  ahead.fetch_quarter();
  RecordPage page(*plan.index, offer.node, BUFFER_LOCK_SHARE);
  const ConstRecord record = page.record();
  const RecordHeader &header = record.header();
  const bool stale =
      offer.generation != graph::kAnyGeneration && offer.generation != header.generation;
  if (stale || !record.traversable() || header.level != level) {
    frontier.reject(offer);
    return;
  }

  float estimates[224];
  ahead.fetch_quarter();
  Expanded expanded = measure_record(plan, record, estimates);
  expanded.page_lsn = page.page().lsn();
  ahead.fetch_quarter();
  visit(offer, record, expanded);
  ahead.fetch_quarter();
  frontier.offer_all(estimates, record.ids(), record.generations(), header.neighbor_count);
}

// SEARCH-LAYER: expands until nothing within the frontier's bound is left. The next record is chosen
// before the present one is expanded, so that it can come from memory meanwhile (README.md, "Search",
// has the measurement).
template <class Visit>
void search_level(const SearchPlan &plan, int level, graph::Frontier &frontier, Visit &&visit) {
  graph::Offer present;
  graph::Offer next;
  bool more = frontier.next(&present);
  while (more) {
    CHECK_FOR_INTERRUPTS();
    more = frontier.next(&next);
    expand(plan, present, level, frontier, more ? Ahead(*plan.index, next) : Ahead(), visit);
    if (!more) more = frontier.next(&next);
    present = next;
  }
}

// The nearest records found on one level, as starting points for the next.
class Seeds {
 public:
  static constexpr size_t kMost = 4;

  void clear() { count_ = 0; }
  void add(float distance, uint32_t record, uint16_t generation);
  // Starts a search of `width` from them.
  void offer_to(graph::Frontier &frontier, const Allocator &allocator, size_t width) const;

 private:
  graph::Offer seeds_[kMost];
  size_t count_ = 0;
};

// Descends from the entry point through levels (to_level, entry.level]; `seeds` receives starting
// points on `to_level`. The index is not empty and to_level <= entry.level.
void descend(const SearchPlan &plan, const Allocator &allocator, graph::Frontier &frontier,
             int to_level, Seeds *seeds);

}  // namespace vann::hnsw

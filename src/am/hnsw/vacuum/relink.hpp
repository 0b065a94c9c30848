// relink.hpp — makes an edge to a record that no search would find.
#pragma once

#include "am/hnsw/edges.hpp"
#include "am/hnsw/index.hpp"
#include "am/hnsw/vacuum/record_map.hpp"
#include "am/hnsw/search.hpp"

namespace vann::hnsw {

// Working memory for one record after another; trivially destructible.
class Relink {
 public:
  Relink(const Index &index, const RecordMap &map, MemoryContext context);

  // Gives record `id` an edge from a near record that the map's marks say is reached: one of its
  // own neighbors or, when they are as lost, one that a search from the entry point finds. Returns
  // false when there is none. Locks: one record page at a time.
  bool link(uint32_t id);

 private:
  struct Source {
    float length;  // squared L2
    uint32_t record;
    uint8_t generation;
  };
  static constexpr uint32_t kMaxSources = 16;
  // Which slot the edge may take.
  enum class Place : uint8_t {
    kFree,     // an empty one
    kCovered,  // of a neighbor that the lost record leads to: it stays reachable through that
    kGone,     // of a dead neighbor
    kAny,
  };

  bool read(uint32_t id);
  void add_neighbors();
  void add_found();
  void add_source(const Source &source);
  bool try_sources(Place place);
  int choose_place(ConstRecord list, Place place) const;
  bool add_edge(const Source &source, Place place);

  const Index &index_;
  const RecordMap &map_;
  MemoryContext context_;
  uint8_t *image_;         // [stride] the lost record
  float *decoded_;         // [shape.dims] its decoded code
  float *source_decoded_;  // [shape.dims]
  uint8_t *query_memory_;
  uint8_t *code_;  // [edge_code_bytes]
  graph::Frontier frontier_;
  SearchPlan plan_;
  quantize::PreparedQuery query_;
  uint32_t id_ = kNoRecord;
  uint32_t source_count_ = 0;
  Source sources_[kMaxSources];  // ascending by length
};

}  // namespace vann::hnsw

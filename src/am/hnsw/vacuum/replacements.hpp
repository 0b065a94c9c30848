// replacements.hpp — finds neighbors for a record that has lost some: among the neighbors of those
// it has lost.
#pragma once

#include "am/hnsw/edges.hpp"
#include "am/hnsw/index.hpp"
#include "am/hnsw/vacuum/record_map.hpp"
#include "am/hnsw/search.hpp"

namespace vann::hnsw {

inline constexpr uint32_t kMaxDegree = 224;

// Working memory for one record after another; trivially destructible, memory in the context that
// it was made in.
class Replacements {
 public:
  Replacements(const Index &index, const RecordMap &map, MemoryContext context);

  // Adds up to `count` edges to `record`, the copy of record `id`, in the place of edges to
  // `removed` [count], of which dead ones are read for their neighbors. Takes share locks, one at
  // a time.
  void fill(Record record, uint32_t id, const uint32_t *removed, uint32_t count);

 private:
  struct Candidate {
    float length;  // estimated squared L2 from the record
    uint32_t record;
    uint8_t generation;
  };

  static constexpr uint32_t kMaxSources = 2 * kMaxDegree;
  static constexpr uint32_t kMaxCandidates = 64;

  void prepare(ConstRecord record, uint32_t id);
  void add_source(uint32_t source);
  void collect(ConstRecord record, uint32_t wanted);
  void collect_from(ConstRecord record, uint32_t source);
  void consider(ConstRecord record, const Candidate &candidate);
  bool read_edge(ConstRecord record, const Candidate &candidate, uint8_t *code, Edge *edge);
  uint32_t select(Record record, uint32_t wanted);

  const Index &index_;
  const RecordMap &map_;
  float *decoded_;         // [shape.dims] of the record
  float *neighbor_;        // [shape.dims] of a candidate
  uint8_t *query_memory_;  // query_bytes
  uint8_t *codes_;         // [kMaxCandidates][edge_code_bytes] of candidates put off
  SearchPlan plan_;
  quantize::PreparedQuery query_;  // the record's decoded code
  uint32_t id_ = kNoRecord;
  uint32_t source_count_ = 0;
  uint32_t candidate_count_ = 0;
  uint32_t candidate_limit_ = 0;
  uint32_t sources_[kMaxSources];
  Candidate candidates_[kMaxCandidates];  // ascending by length
  float estimates_[kMaxDegree + simd::kScanWidth];
};

}  // namespace vann::hnsw

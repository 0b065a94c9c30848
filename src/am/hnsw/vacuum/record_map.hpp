// record_map.hpp — what a pass over all pages saw of every record, two bytes per record. VACUUM and
// the index check decide from it which edges lead somewhere.
#pragma once

#include "pg/memory.hpp"

#include "am/hnsw/page.hpp"

namespace vann::hnsw {

// Inserts go on while a map is in use: slots that were free may be in use since, live ones stay
// live (only VACUUM kills, and one VACUUM at a time works on an index), and records behind `count`
// are younger than the map.
class RecordMap {
 public:
  // For records [0, count), all unknown (kFree). Memory lives in `context`.
  RecordMap(MemoryContext context, uint32_t count)
      : count_(count), bits_(static_cast<uint8_t *>(MemoryContextAllocExtended(
                           context, count + size_t{1}, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO))),
        generations_(static_cast<uint8_t *>(
            MemoryContextAllocExtended(context, count + size_t{1}, MCXT_ALLOC_HUGE))) {}

  uint32_t count() const { return count_; }
  bool covers(uint32_t record) const { return record < count_; }

  void set(uint32_t record, State state, uint8_t generation) {
    bits_[record] =
        static_cast<uint8_t>((bits_[record] & ~kStateBits) | static_cast<uint8_t>(state));
    generations_[record] = generation;
  }
  State state(uint32_t record) const { return static_cast<State>(bits_[record] & kStateBits); }
  uint8_t generation(uint32_t record) const { return generations_[record]; }

  // True when an edge with this generation leads to a record that is dead or was reused: it has to
  // be removed. Generations are compared as a circle, because a slot that was free may have been
  // taken since, and its new edges are right.
  bool is_gone(uint32_t target, uint8_t edge_generation) const {
    if (!covers(target)) return false;
    const int8_t age = static_cast<int8_t>(edge_generation - generations_[target]);
    switch (state(target)) {
      case State::kLive:
        return age < 0;
      case State::kDead:
        return true;
      case State::kUnlinked:
      case State::kTids:
        return age <= 0;
      case State::kFree:
        break;
    }
    return false;
  }
  bool is_live(uint32_t target, uint8_t edge_generation) const {
    return covers(target) && state(target) == State::kLive &&
           generations_[target] == edge_generation;
  }

  // Marks of a walk over the graph: reached, and still to be expanded.
  bool reached(uint32_t record) const { return (bits_[record] & kReached) != 0; }
  bool pending(uint32_t record) const { return (bits_[record] & kPending) != 0; }
  void mark_reached(uint32_t record) { bits_[record] |= kReached | kPending; }
  void clear_pending(uint32_t record) { bits_[record] &= static_cast<uint8_t>(~kPending); }
  void clear_marks() {
    for (uint32_t i = 0; i < count_; ++i) bits_[i] &= kStateBits;
  }
  // The first pending record from `from` on; count() when there is none.
  uint32_t next_pending(uint32_t from) const {
    while (from < count_ && !pending(from)) ++from;
    return from;
  }

 private:
  static constexpr uint8_t kStateBits = 0x07;
  static constexpr uint8_t kReached = 0x08;
  static constexpr uint8_t kPending = 0x10;

  uint32_t count_;
  uint8_t *bits_;
  uint8_t *generations_;
};

}  // namespace vann::hnsw

// recent_buffers.cpp — see recent_buffers.hpp. Backend-local, direct-mapped, never shrinks; hints are
// checked by ReadRecentBuffer() against the buffer's tag.
#include "pg/recent_buffers.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "utils/memutils.h"
}

namespace vann::pg {

namespace {

struct Hint {
  Oid relation;
  BlockNumber block;
  Buffer buffer;
};

constexpr uint32_t kHints = 1u << 16;  // 768 kB in backends that search
// A buffer found by a hint does not count as used, so that now and then the page is read the usual
// way: else the clock sweep would take busy pages for idle ones.
constexpr uint32_t kRegularEvery = 16;

Hint *hints = nullptr;
uint32_t reads = 0;

Hint *slot_for(Relation relation, BlockNumber block) {
  if (hints == nullptr)
    hints = static_cast<Hint *>(MemoryContextAllocZero(TopMemoryContext, kHints * sizeof(Hint)));
  return &hints[(block ^ RelationGetRelid(relation) * 0x9e3779b1u) & (kHints - 1)];
}

bool matches(const Hint &hint, Relation relation, BlockNumber block) {
  return hint.relation == RelationGetRelid(relation) && hint.block == block &&
         hint.buffer != InvalidBuffer;
}

}  // namespace

Buffer read_recent(Relation relation, BlockNumber block) {
  Hint *hint = slot_for(relation, block);
  if (++reads % kRegularEvery != 0 && matches(*hint, relation, block) &&
      ReadRecentBuffer(relation_locator(relation), MAIN_FORKNUM, block, hint->buffer)) {
    pgstat_count_buffer_hit(relation);
    return hint->buffer;
  }
  const Buffer buffer = ReadBuffer(relation, block);
  *hint = {RelationGetRelid(relation), block, buffer};
  return buffer;
}

const char *prefetch_recent(Relation relation, BlockNumber block) {
  const Hint *hint = slot_for(relation, block);
  if (!matches(*hint, relation, block) || BufferIsLocal(hint->buffer)) return nullptr;
  __builtin_prefetch(GetBufferDescriptor(hint->buffer - 1), 1, 3);
  const char *page = static_cast<const char *>(BufferGetBlock(hint->buffer));
  __builtin_prefetch(page, 0, 3);
  return page;
}

}  // namespace vann::pg

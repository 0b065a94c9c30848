// reassign.cpp — see reassign.hpp. Locks: one page of the neighbor at a time, shared, and exclusively to
// mark it; between the marks those of append_rows().
#include "am/ivfpq/organise/reassign.hpp"

#include "am/ivfpq/chain.hpp"

extern "C" {
#include "access/transam.h"
}

namespace vann::ivfpq {

namespace {

// As rows are assigned: squared L2 distance, or by angle under the inner product.
float route_key(const Index &index, const float *x, const float *centroid) {
  const size_t dims = index.layout().rotated_dims;
  if (index.cache->metric != Metric::kInnerProduct)
    return simd::kernels().l2_squared_f32(x, centroid, dims);
  const float length = std::sqrt(simd::kernels().dot_f32(centroid, centroid, dims));
  const float product = simd::kernels().dot_f32(x, centroid, dims);
  return length > 0 ? -product / length : 0.0f;
}

// The new list that x is nearer to than to `own`, or `count`.
uint32_t nearer(const Index &index, const float *x, const float *own, const Target *targets,
                uint32_t count) {
  float least = route_key(index, x, own);
  uint32_t best = count;
  for (uint32_t i = 0; i < count; ++i) {
    const float key = route_key(index, x, targets[i].centroid);
    if (key >= least) continue;
    least = key;
    best = i;
  }
  return best;
}

void mark_moving(Run *run, uint32_t list, BlockNumber block) {
  const pg::LockedPage page =
      lock_swept(run->index, list, block, BUFFER_LOCK_EXCLUSIVE, run->strategy);
  pg::PageEdit edit(run->index.relation);
  scan_header(edit.modify(page)).flags |= kMoving;
  edit.commit();
}

void mark_moved(Run *run, uint32_t list, BlockNumber block, const uint32_t *moved) {
  const pg::LockedPage page =
      lock_swept(run->index, list, block, BUFFER_LOCK_EXCLUSIVE, run->strategy);
  pg::PageEdit edit(run->index.relation);
  uint8_t *copy = edit.modify(page);
  for (uint32_t i = 0; i < run->index.layout().blocks; ++i)
    block_in(copy, i, run->index.layout()).header().moved |= moved[i];
  scan_header(copy).flags &= static_cast<uint8_t>(~kMoving);
  // Read under the lock: whoever began before the copies came has a snapshot that is not younger.
  scan_header(copy).moved_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
  edit.commit();
}

uint64_t reassign_list(Run *run, const Target &from, const Rewritten &rewritten) {
  const Layout &layout = run->index.layout();
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  Distributor distributor;
  distributor.init(run->index, rewritten.targets, rewritten.made, rewritten.reference,
                   layout.page_rows(), run->list_context);
  uint32_t *moved = static_cast<uint32_t *>(
      MemoryContextAlloc(run->list_context, layout.blocks * sizeof(uint32_t)));
  uint64_t count = 0;
  PageRow row;
  for (BlockNumber block = read_list(run->index, from.list, nullptr).head; block != kNoBlock;) {
    block = reader.read(from.list, block, false);
    std::fill_n(moved, layout.blocks, 0u);
    const uint64_t before = count;
    while (reader.next(&row)) {
      const uint32_t target =
          nearer(run->index, row.x, from.centroid, rewritten.targets, rewritten.made);
      if (target == rewritten.made) continue;
      if (count == before) mark_moving(run, from.list, reader.block());
      distributor.add_to(row, target);
      moved[row.place / kBlockRows] |= 1u << row.place % kBlockRows;
      ++count;
    }
    if (count == before) continue;
    distributor.flush();
    mark_moved(run, from.list, reader.block(), moved);
  }
  return count;
}

}  // namespace

uint64_t reassign(Run *run, const Rewritten &rewritten, uint64_t *moved) {
  for (uint32_t i = 0; i < rewritten.made; ++i) rewritten.targets[i].recode = true;
  uint64_t count = 0;
  for (uint32_t i = rewritten.made; i < rewritten.count; ++i) {
    moved[i - rewritten.made] = reassign_list(run, rewritten.targets[i], rewritten);
    count += moved[i - rewritten.made];
  }
  return count;
}

}  // namespace vann::ivfpq

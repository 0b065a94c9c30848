// new_index.cpp — see new_index.hpp.
#include "am/ivfpq/new_index.hpp"

#include "am/ivfpq/directory.hpp"
#include "am/ivfpq/options.hpp"

extern "C" {
#include "common/pg_prng.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr uint64_t kSeed = 0x766563746f725f62ull;

constexpr BlockNumber kListBlock = kMetaBlock + 1;
constexpr uint32_t kLists = 2;  // the root and one list of rows

void set_list(const ListView &list, const Layout &layout, uint8_t level, BlockNumber head,
              uint32_t parent, const float *centroid) {
  ListRecord &record = list.record();
  record.state = static_cast<uint8_t>(ListState::kLive);
  record.level = level;
  record.head = record.open = head;
  record.parent = parent;
  record.factors = encode_centroid(layout, centroid, list.code());
}

}  // namespace

MetaPage new_meta(Relation index) {
  const int dims = am::indexed_dims(index, kAccessMethod);
  const IndexOptions options = index_options(index, dims);
  const Metric metric = am::operator_class_of(index).metric;
  MetaPage meta{};
  meta.magic = kMagic;
  meta.version = kFormatVersion;
  meta.page_bytes = kPageBytes;
  meta.build_id = pg_prng_uint64(&pg_global_prng_state);
  // A fixed seed: the rotation need not be secret, and builds repeat bit by bit.
  meta.rotation_seed = kSeed;
  describe_layout(choose_layout(static_cast<uint32_t>(dims), metric, options.layout), metric,
                  &meta);
  meta.rotation = static_cast<uint8_t>(options.rotation);
  meta.wanted_lists = options.lists;
  meta.mean_block = meta.rotation_block = meta.codebook_block = kNoBlock;
  meta.depth = 1;
  meta.error_scale = 1;
  meta.root = kNoList;
  meta.list_pages = meta.free_list_page = kNoBlock;
  return meta;
}

void append_empty(pg::BulkWriter *writer, MetaPage meta) {
  Layout layout;
  layout_from_meta(meta, &layout);
  const uint32_t list_blocks = (kLists + layout.list_slots - 1) / layout.list_slots;
  const BlockNumber root_block = kListBlock + list_blocks;
  const BlockNumber rows_block = root_block + 1;
  const BlockNumber blocks = rows_block + 1;
  uint8_t *pages =
      pg::allocate_aligned<uint8_t, pg::kIoAlignment>(CurrentMemoryContext, blocks * kPageBytes);
  memset(pages, 0, blocks * kPageBytes);
  const auto page = [&](BlockNumber block) { return pages + block * kPageBytes; };
  const auto list = [&](uint32_t id) {
    return list_in(page(block_of(id, layout)), slot_of(id, layout), layout);
  };
  float *centre = static_cast<float *>(palloc0(layout.rotated_dims * sizeof(float)));
  uint8_t *code = static_cast<uint8_t *>(palloc(quantize::neighbor_code_bytes(
      layout.centroids.neighbor_dims, layout.centroids.neighbor_bits)));

  meta.root = list_id(kListBlock, 0, layout);
  meta.list_pages = meta.free_list_page = root_block - 1;
  init_page(page(kMetaBlock), kMetaPage);
  *meta_of(page(kMetaBlock)) = meta;
  for (BlockNumber block = kListBlock; block < root_block; ++block)
    init_list_page(page(block), block == kListBlock ? kNoBlock : block - 1);
  const uint32_t rows = meta.root + 1;
  set_list(list(meta.root), layout, 1, root_block, kNoList, centre);
  set_list(list(rows), layout, 0, rows_block, meta.root, centre);
  init_directory_page(page(root_block), layout, meta.root);
  init_scan_page(page(rows_block), layout, rows, 0);
  write_entry(page(root_block), 0, layout, rows, encode_entry(layout, centre, centre, code), code);
  writer->append(pages, blocks);
  pfree(code);
  pfree(centre);
}

}  // namespace vann::ivfpq

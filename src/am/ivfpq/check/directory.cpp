// directory.cpp — the root, cells, and their entries.
#include "am/ivfpq/check/check.hpp"

#include <cmath>

#include "am/ivfpq/directory.hpp"
#include "core/base/bfloat16.hpp"

namespace vann::ivfpq {

namespace {

// Lengths are sums whose order differs between machines: one step of a bfloat16.
constexpr float kShortStep = 1.0f / 128;

bool same_factor(uint16_t a, uint16_t b) {
  const float x = from_bfloat16(a), y = from_bfloat16(b);
  return a == b || std::abs(x - y) <= kShortStep * std::max(std::abs(x), std::abs(y));
}

class DirectoryCheck {
 public:
  DirectoryCheck(Census *census, KnownList *owner)
      : census_(census), layout_(census->index->layout()), owner_(owner) {
    const size_t floats = layout_.rotated_dims;
    owner_centroid_ = static_cast<float *>(palloc(floats * sizeof(float)));
    centroid_ = static_cast<float *>(palloc(floats * sizeof(float)));
    code_ = static_cast<uint8_t *>(palloc(code_bytes()));
    stored_ = static_cast<uint8_t *>(palloc(code_bytes()));
  }

  void run() {
    read_list(*census_->index, owner_->id, owner_centroid_);
    walk_chain(census_, owner_, kDirectoryPage, [&](BlockNumber, const uint8_t *page) {
      owner_->slots += layout_.directory_page_rows();
      for (uint32_t i = 0; i < layout_.directory_blocks; ++i)
        check_entries(entries_in(page, i, layout_));
    });
    pfree(stored_);
    pfree(code_);
    pfree(centroid_);
    pfree(owner_centroid_);
  }

 private:
  size_t code_bytes() const {
    return quantize::neighbor_code_bytes(layout_.centroids.neighbor_dims,
                                         layout_.centroids.neighbor_bits);
  }

  void check_entries(ConstEntries entries) {
    if (entries.header().live != 0 && entries.header().anchor != owner_->id)
      census_->problems->add(owner_->id, "a block of entries relative to list %u",
                             entries.header().anchor);
    for (uint32_t live = entries.header().live; live != 0; live &= live - 1) {
      ++owner_->rows;
      if (owner_->state() == ListState::kLive)
        check_entry(entries, static_cast<uint32_t>(__builtin_ctz(live)));
    }
  }

  void check_entry(ConstEntries entries, uint32_t slot) {
    const uint32_t id = entries.lists()[slot];
    KnownList *list = census_->find(id);
    if (list == nullptr || list->state() != ListState::kLive ||
        list->record.level + 1 != owner_->record.level) {
      census_->problems->add(owner_->id, "an entry of list %u, which is not a live list below", id);
      return;
    }
    ++list->entries;
    list->entered |= owner_->entered;
    if (list->record.parent != owner_->id)
      census_->problems->add(id, "an entry in list %u, but its parent is %u", owner_->id,
                             list->record.parent);
    if (!same_code(entries, slot, id))
      census_->problems->add(id, "its entry in list %u is not the code of its centroid",
                             owner_->id);
  }

  bool same_code(ConstEntries entries, uint32_t slot, uint32_t id) {
    read_list(*census_->index, id, centroid_);
    const EncodedCentroid expected = encode_entry(layout_, owner_centroid_, centroid_, code_);
    quantize::load_tile(entries.tiles(), slot, stored_, layout_.centroids.neighbor_dims,
                        layout_.centroids.neighbor_bits);
    return memcmp(code_, stored_, code_bytes()) == 0 &&
           same_factor(entries.scales()[slot], expected.scale) &&
           same_factor(entries.offsets()[slot], expected.offset) &&
           same_factor(entries.residuals()[slot], expected.residual) &&
           same_factor(entries.lengths()[slot], expected.length);
  }

  Census *census_;
  const Layout &layout_;
  KnownList *owner_;
  float *owner_centroid_;  // [rotated_dims]
  float *centroid_;        // [rotated_dims]
  uint8_t *code_;          // [code_bytes()]
  uint8_t *stored_;        // [code_bytes()]
};

}  // namespace

void walk_directory(Census *census) {
  const MetaPage &meta = census->index->meta;
  if (KnownList *root = census->find(meta.root)) root->entered = true;
  for (uint32_t level = meta.depth; level > 0; --level)
    for (KnownList &list : census->lists)
      if (list.record.level == level && list.state() != ListState::kAnchor)
        DirectoryCheck(census, &list).run();
  for (const KnownList &list : census->lists)
    if (list.state() == ListState::kLive && list.id != meta.root && list.entries != 1)
      census->problems->add(list.id, "%u entries in the directory", list.entries);
}

}  // namespace vann::ivfpq

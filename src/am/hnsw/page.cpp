// page.cpp — chooses and verifies record layouts. PostgreSQL-free.
// See README.md, "On-disk structure".
#include "am/hnsw/page.hpp"

#include <algorithm>

namespace vann::hnsw {

namespace {

constexpr uint32_t kMaxDims = 16000;
constexpr uint32_t kHeaderBytes = sizeof(RecordHeader);
constexpr uint32_t kSlotBytes = 4 + 3 * 2 + 1;  // id, three bfloat16 factors, generation
// Up to here one bit per dimension is too noisy (README.md) and two are affordable.
constexpr uint32_t kTwoBitDims = 256;
// Codes of more rotated dimensions than this are cut to a prefix before records grow beyond a page.
constexpr uint32_t kEnoughNeighborDims = 1536;

constexpr uint32_t round_up(uint32_t value, uint32_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}

// Fills offsets and stride from shape and degree.
void place(Layout *layout) noexcept {
  const quantize::CodeShape &shape = layout->shape;
  const uint32_t degree = layout->degree;
  layout->code = kHeaderBytes;
  layout->ids =
      layout->code + static_cast<uint32_t>(quantize::code_bytes(shape.dims, shape.code_bits));
  layout->scales = layout->ids + 4 * degree;
  layout->offsets = layout->scales + 2 * degree;
  layout->residuals = layout->offsets + 2 * degree;
  layout->generations = layout->residuals + 2 * degree;
  layout->tiles = layout->generations + degree;
  layout->tile_block_bytes = static_cast<uint32_t>(
      simd::kScanWidth * quantize::neighbor_code_bytes(shape.neighbor_dims, shape.neighbor_bits));
  layout->stride =
      round_up(layout->tiles + degree / 32 * layout->tile_block_bytes, 4);
}

uint32_t fixed_bytes(uint32_t degree, uint32_t neighbor_dims, uint32_t neighbor_bits) noexcept {
  return kHeaderBytes +
         degree * (kSlotBytes + neighbor_dims / 8 * neighbor_bits);
}

// Coordinates of the rotation: it works in runs of 16, and neighbor codes may cover padding.
constexpr uint32_t rotated_dims(uint32_t dims, uint32_t neighbor_dims) noexcept {
  return std::max(round_up(dims, 16), neighbor_dims);
}

// The layout with these neighbor dimensions at 4 bits per own dimension; slots = 0 if it cannot be.
Layout at_neighbor_dims(uint32_t dims, Metric metric, uint32_t degree,
                        uint32_t neighbor_dims) noexcept {
  Layout layout{};
  layout.degree = degree;
  layout.shape.geometry = geometry_of(metric);
  layout.shape.neighbor_bits = dims <= kTwoBitDims ? 2 : 1;
  layout.shape.neighbor_dims = neighbor_dims;
  layout.shape.code_bits = quantize::kMinCodeBits;
  layout.rotated_dims = rotated_dims(dims, neighbor_dims);

  const uint32_t fixed = fixed_bytes(degree, neighbor_dims, layout.shape.neighbor_bits);
  if (fixed >= kUsableBytes) return layout;
  const uint32_t room = static_cast<uint32_t>(kUsableBytes - fixed) * 2 / 64 * 64;  // 4-bit dims
  if (room < quantize::padded_dims(layout.rotated_dims)) {
    if (neighbor_dims > kEnoughNeighborDims || room < neighbor_dims) return layout;
    layout.shape.dims = room;
  } else {
    layout.shape.dims = layout.rotated_dims;
  }
  place(&layout);
  layout.slots = static_cast<uint32_t>(kUsableBytes / layout.stride);
  return layout;
}

// Raises own bits as far as the number of records per page allows.
void spend_rest_on_bits(Layout *layout) noexcept {
  const uint32_t slots = layout->slots;
  for (uint32_t bits = quantize::kMaxCodeBits; bits > quantize::kMinCodeBits; --bits) {
    layout->shape.code_bits = bits;
    place(layout);
    if (layout->stride * slots <= kUsableBytes) return;
  }
  layout->shape.code_bits = quantize::kMinCodeBits;
  place(layout);
}

}  // namespace

Layout choose_layout(uint32_t dims, Metric metric, uint32_t degree) noexcept {
  Layout best{};
  for (uint32_t coded = round_up(dims, 64); coded >= 64; coded -= 64) {
    // Shorter codes than four fifths of the dimensions are a last resort, not an economy.
    if (best.slots > 0 && coded * 5 < dims * 4) break;
    Layout layout = at_neighbor_dims(dims, metric, degree, coded);
    if (layout.slots < best.slots || layout.slots == 0) continue;
    spend_rest_on_bits(&layout);
    if (layout.slots > best.slots || layout.shape.code_bits > best.shape.code_bits) best = layout;
  }
  return best;
}

void describe_layout(const Layout &layout, uint32_t dims, Metric metric, MetaPage *meta) noexcept {
  meta->dims = dims;
  meta->metric = static_cast<uint8_t>(metric);
  meta->degree = layout.degree;
  meta->rotated_dims = layout.rotated_dims;
  meta->code_dims = layout.shape.dims;
  meta->code_bits = layout.shape.code_bits;
  meta->neighbor_dims = layout.shape.neighbor_dims;
  meta->neighbor_bits = layout.shape.neighbor_bits;
  meta->slots = layout.slots;
  meta->stride = layout.stride;
}

bool layout_from_meta(const MetaPage &meta, Layout *layout) noexcept {
  *layout = {};
  if (meta.metric > static_cast<uint8_t>(Metric::kCosine)) return false;
  layout->shape = {meta.code_dims, meta.code_bits, meta.neighbor_dims, meta.neighbor_bits,
                   geometry_of(static_cast<Metric>(meta.metric))};
  layout->rotated_dims = meta.rotated_dims;
  layout->degree = meta.degree;
  layout->slots = meta.slots;
  const bool sane = meta.degree >= 32 && meta.degree <= 224 && meta.degree % 32 == 0 &&
                    meta.code_bits >= quantize::kMinCodeBits &&
                    meta.code_bits <= quantize::kMaxCodeBits && meta.neighbor_bits >= 1 &&
                    meta.neighbor_bits <= 2 && meta.neighbor_dims % 64 == 0 &&
                    meta.neighbor_dims >= 64 && meta.neighbor_dims <= meta.code_dims &&
                    meta.code_dims <= meta.rotated_dims && meta.dims >= 1 &&
                    meta.dims <= kMaxDims && meta.neighbor_dims <= round_up(meta.dims, 64) &&
                    (meta.code_dims == meta.rotated_dims || meta.code_dims % 64 == 0) &&
                    meta.rotated_dims == rotated_dims(meta.dims, meta.neighbor_dims) &&
                    meta.attribute_bytes == 0 && meta.signature_bytes == 0;
  if (!sane) return false;
  place(layout);
  return layout->stride == meta.stride && meta.slots >= 1 &&
         meta.slots == kUsableBytes / meta.stride;
}

}  // namespace vann::hnsw

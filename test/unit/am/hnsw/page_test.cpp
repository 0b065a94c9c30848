// page_test.cpp — layouts fit pages for every shape, contradictory metapages are refused, and the
// parts of a record neither overlap nor leave it.
#include "am/hnsw/page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "layouts.hpp"
#include "support/guarded_array.hpp"

namespace vann::hnsw {
namespace {

using vann::test::GuardedArray;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
constexpr uint32_t kMaxDims = 16000;

void for_every_layout(const std::function<void(uint32_t, Metric, const Layout &)> &visit) {
  for (uint32_t dims = 1; dims <= kMaxDims; dims += dims < 600 ? 1 : 3) {
    for (uint32_t degree = 32; degree <= 224; degree += 32) {
      const Metric metric = kMetrics[(dims + degree / 32) % 3];
      visit(dims, metric, choose_layout(dims, metric, degree));
      if (testing::Test::HasFatalFailure()) {
        FAIL() << dims << " dimensions, degree " << degree;
      }
    }
  }
}

// Every part of a record lies behind the one before, aligned for its type, and all of them in the
// page.
void expect_parts_in_place(const Layout &layout) {
  const quantize::CodeShape &shape = layout.shape;
  ASSERT_GE(layout.slots, 1u);
  ASSERT_LE(uint64_t{layout.stride} * layout.slots, kUsableBytes);
  ASSERT_EQ(layout.stride % 4, 0u);
  ASSERT_EQ(kPageHeaderBytes % 8, 0u);
  ASSERT_GE(layout.code, sizeof(RecordHeader));
  ASSERT_GE(layout.ids, layout.code + quantize::code_bytes(shape.dims, shape.code_bits));
  ASSERT_EQ(layout.ids % alignof(uint32_t), 0u);
  ASSERT_GE(layout.scales, layout.ids + 4 * layout.degree);
  ASSERT_GE(layout.offsets, layout.scales + 2 * layout.degree);
  ASSERT_GE(layout.residuals, layout.offsets + 2 * layout.degree);
  ASSERT_EQ((layout.scales | layout.offsets | layout.residuals) % alignof(uint16_t), 0u);
  ASSERT_GE(layout.generations, layout.residuals + 2 * layout.degree);
  ASSERT_GE(layout.tiles, layout.generations + layout.degree);
  ASSERT_GE(layout.tile_block_bytes,
            32 * quantize::neighbor_code_bytes(shape.neighbor_dims, shape.neighbor_bits));
  ASSERT_GE(layout.stride, layout.tiles + layout.degree / 32 * layout.tile_block_bytes);
  ASSERT_GE(layout.tids_capacity(), 100u);
  ASSERT_LE(kTidsOffset + layout.tids_capacity() * sizeof(HeapTid), layout.stride);
}

// What the rotation and the kernels require of a shape.
void expect_usable_shape(const Layout &layout, uint32_t dims) {
  const quantize::CodeShape &shape = layout.shape;
  ASSERT_GE(layout.rotated_dims, dims);
  ASSERT_EQ(layout.rotated_dims % 16, 0u);
  ASSERT_LE(shape.dims, layout.rotated_dims);
  ASSERT_GE(shape.neighbor_dims, 64u);
  ASSERT_EQ(shape.neighbor_dims % 64, 0u);
  ASSERT_LE(shape.neighbor_dims, shape.dims);
  ASSERT_GE(shape.code_bits, quantize::kMinCodeBits);
  ASSERT_LE(shape.code_bits, quantize::kMaxCodeBits);
  ASSERT_TRUE(shape.neighbor_bits == 1 || shape.neighbor_bits == 2);
}

TEST(Layout, FitsAPageForEveryShape) {
  for_every_layout([](uint32_t dims, Metric metric, const Layout &layout) {
    ASSERT_NO_FATAL_FAILURE(expect_parts_in_place(layout));
    ASSERT_NO_FATAL_FAILURE(expect_usable_shape(layout, dims));
    ASSERT_EQ(layout.shape.geometry, geometry_of(metric));
  });
}

TEST(Layout, DependsOnTheMetricByItsGeometryOnly) {
  for (uint32_t dims = 1; dims <= kMaxDims; dims += 397) {
    Layout inner_product = choose_layout(dims, Metric::kInnerProduct, 64);
    const Layout l2 = choose_layout(dims, Metric::kL2, 64);
    EXPECT_EQ(inner_product.shape.geometry, quantize::Geometry::kInnerProduct);
    inner_product.shape.geometry = quantize::Geometry::kL2;
    EXPECT_TRUE(inner_product == l2);
    const Layout cosine = choose_layout(dims, Metric::kCosine, 64);
    EXPECT_TRUE(cosine == l2);
  }
}

TEST(Layout, OwnCodesTakeTheRoomThatRecordsLeave) {
  for_every_layout([](uint32_t, Metric, const Layout &layout) {
    const quantize::CodeShape &shape = layout.shape;
    if (shape.code_bits == quantize::kMaxCodeBits) return;
    const uint32_t finer =
        layout.stride - layout.ids + layout.code +
        static_cast<uint32_t>(quantize::code_bytes(shape.dims, shape.code_bits + 1));
    ASSERT_GT(uint64_t{finer} * layout.slots, kUsableBytes);
  });
}

// Finer own codes would cost a record per page even beside the shortest neighbor codes.
TEST(Layout, OwnCodesComeBeforeLongNeighborCodes) {
  for_every_layout([](uint32_t dims, Metric, const Layout &layout) {
    const quantize::CodeShape &shape = layout.shape;
    const uint32_t shortest = (dims * 4 + 64 * 5 - 1) / (64 * 5) * 64;
    if (shape.code_bits == quantize::kMaxCodeBits || shape.neighbor_dims < shortest) return;
    const uint32_t saved =
        layout.degree * (shape.neighbor_dims - shortest) / 8 * shape.neighbor_bits;
    const uint32_t whole = std::max((dims + 15) / 16 * 16, shortest);
    const uint32_t finer =
        layout.stride - layout.ids + layout.code - saved +
        static_cast<uint32_t>(quantize::code_bytes(whole, shape.code_bits + 1));
    ASSERT_GT(uint64_t{finer} * layout.slots, kUsableBytes);
  });
  for (const uint32_t dims : {512u, 768u, 784u}) {
    const Layout layout = choose_layout(dims, Metric::kL2, 32);
    EXPECT_EQ(layout.shape.code_bits, quantize::kMaxCodeBits) << dims;
    EXPECT_GE(layout.shape.neighbor_dims * 8, dims * 7) << dims;
  }
}

// An element of the vector type and its neighbor tuple at level 0, with line pointers, as an index
// that stores whole vectors keeps them.
uint32_t whole_vectors_per_page(uint32_t dims, uint32_t degree) {
  const auto aligned = [](uint32_t bytes) { return (bytes + 7) / 8 * 8; };
  const uint32_t element = aligned(72 + 8 + 4 * dims) + 4;
  const uint32_t neighbors = aligned(4 + 6 * degree) + 4;
  return (8192 - 24 - 8) / (element + neighbors);
}

// Neighbor codes are not cut below four fifths of the dimensions for density's sake: just above 400
// and around 600 dimensions that costs one record per page against whole vectors.
TEST(Layout, PacksNoFewerElementsThanWholeVectors) {
  const auto packed = [](uint32_t dims) { return choose_layout(dims, Metric::kL2, 32).slots; };
  for (const uint32_t dims : {384u, 400u, 512u, 640u, 768u, 960u, 1024u, 1280u, 1536u, 2000u}) {
    EXPECT_GE(packed(dims), whole_vectors_per_page(dims, 32)) << dims;
  }
  uint32_t fewer = 0;
  for (uint32_t dims = 384; dims <= 2000; ++dims) {
    ASSERT_GE(packed(dims) + 1, whole_vectors_per_page(dims, 32)) << dims;
    fewer += packed(dims) < whole_vectors_per_page(dims, 32);
  }
  EXPECT_LE(fewer, 90u);
}

TEST(Layout, SurvivesTheMetapage) {
  for_every_layout([](uint32_t dims, Metric metric, const Layout &layout) {
    Layout read;
    ASSERT_TRUE(layout_from_meta(test::meta_of(layout, dims, metric), &read));
    ASSERT_TRUE(read == layout);
  });
}

TEST(Layout, EveryContradictionIsRefused) {
  const uint32_t dims = 1000;
  const MetaPage good = test::meta_of(choose_layout(dims, Metric::kL2, 32), dims, Metric::kL2);
  Layout layout;
  ASSERT_TRUE(layout_from_meta(good, &layout));
  const auto refused = [&](auto MetaPage::*field, auto value) {
    MetaPage bad = good;
    bad.*field = static_cast<std::remove_reference_t<decltype(bad.*field)>>(value);
    return !layout_from_meta(bad, &layout);
  };
  for (const uint32_t value : {0u, 1u, 31u, 33u, 64u, 256u, 0xffffffffu}) {
    EXPECT_TRUE(refused(&MetaPage::degree, value));
    EXPECT_TRUE(refused(&MetaPage::slots, value == 1 ? 2 : value));
    EXPECT_TRUE(refused(&MetaPage::stride, value));
    EXPECT_TRUE(refused(&MetaPage::neighbor_dims, value));
    EXPECT_TRUE(refused(&MetaPage::code_dims, value));
    EXPECT_TRUE(refused(&MetaPage::rotated_dims, value));
    EXPECT_TRUE(refused(&MetaPage::code_bits, value));
    EXPECT_TRUE(refused(&MetaPage::neighbor_bits, value == 1 ? 2 : value));
    EXPECT_TRUE(refused(&MetaPage::attribute_bytes, value == 0 ? 1 : value));
    EXPECT_TRUE(refused(&MetaPage::signature_bytes, value == 0 ? 1 : value));
    EXPECT_TRUE(refused(&MetaPage::dims, value));
  }
  EXPECT_TRUE(refused(&MetaPage::metric, 3));
  EXPECT_TRUE(refused(&MetaPage::rotated_dims, good.rotated_dims + 1))
      << "the rotation works in runs of 16";
}

TEST(Layout, OwnCodesAreWholeOrCutToWholeBlocks) {
  const uint32_t dims = 2000;
  MetaPage meta = test::meta_of(choose_layout(dims, Metric::kL2, 32), dims, Metric::kL2);
  ASSERT_EQ(meta.code_dims, meta.rotated_dims);
  Layout layout;
  EXPECT_TRUE(layout_from_meta(meta, &layout));
  meta.code_dims -= 8;  // the same bytes
  EXPECT_FALSE(layout_from_meta(meta, &layout));
}

// Damage that layout_from_meta accepts must leave every record within its page.
void expect_harmless(const MetaPage &meta, uint32_t dims) {
  Layout layout;
  if (!layout_from_meta(meta, &layout)) return;
  ASSERT_NO_FATAL_FAILURE(expect_parts_in_place(layout));
  ASSERT_NO_FATAL_FAILURE(expect_usable_shape(layout, meta.dims));
  // The parts have not moved: the same records are read in the same way.
  const Layout chosen = choose_layout(dims, Metric::kL2, meta.degree);
  ASSERT_EQ(layout.stride, chosen.stride);
  ASSERT_EQ(layout.slots, chosen.slots);
  ASSERT_EQ(layout.ids, chosen.ids);
  ASSERT_EQ(layout.tiles, chosen.tiles);
}

TEST(Layout, NoFlippedBitMovesARecord) {
  for (const uint32_t dims : {1u, 64u, 100u, 384u, 768u, 784u, 1000u, 2000u, 16000u}) {
    for (const uint32_t degree : {32u, 64u, 224u}) {
      const MetaPage good =
          test::meta_of(choose_layout(dims, Metric::kL2, degree), dims, Metric::kL2);
      for (size_t bit = 0; bit < sizeof(MetaPage) * 8; ++bit) {
        MetaPage bad = good;
        reinterpret_cast<uint8_t *>(&bad)[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        ASSERT_NO_FATAL_FAILURE(expect_harmless(bad, dims)) << dims << ", bit " << bit;
      }
    }
  }
}

TEST(Layout, RandomMetapagesNeverLeaveThePage) {
  std::mt19937 generator(3);
  const std::vector<test::LayoutCase> cases = test::layout_cases();
  for (int i = 0; i < 300000; ++i) {
    const test::LayoutCase &from = cases[generator() % cases.size()];
    MetaPage meta = test::meta_of(from.layout(), from.dims, from.metric);
    uint32_t *const fields[] = {&meta.dims,          &meta.degree,    &meta.rotated_dims,
                                &meta.code_dims,     &meta.code_bits, &meta.neighbor_dims,
                                &meta.neighbor_bits, &meta.slots,     &meta.stride};
    for (int changes = 0; changes < 3; ++changes) {
      uint32_t &field = *fields[generator() % std::size(fields)];
      const uint32_t choice = generator() % 4;
      if (choice == 0) field = generator();
      if (choice == 1) field += generator() % 129 - 64;
      if (choice == 2) field *= 2;
      if (choice == 3) field = field / 64 * 64;
    }
    Layout layout;
    if (!layout_from_meta(meta, &layout)) continue;
    ASSERT_NO_FATAL_FAILURE(expect_parts_in_place(layout));
    ASSERT_NO_FATAL_FAILURE(expect_usable_shape(layout, meta.dims));
  }
}

// Fills each part of a record with its own value through the accessors.
void fill_parts(Record record, uint8_t value) {
  const Layout &layout = record.layout();
  const uint32_t degree = layout.degree;
  record.header().neighbor_count = value;
  record.header().factors = {static_cast<float>(value), 1.0f, 0.5f};
  std::memset(record.code(), value + 1,
              quantize::code_bytes(layout.shape.dims, layout.shape.code_bits));
  std::fill_n(record.ids(), degree, value + 2u);
  std::fill_n(record.scales(), degree, static_cast<uint16_t>(value + 3));
  std::fill_n(record.offsets(), degree, static_cast<uint16_t>(value + 4));
  std::fill_n(record.residuals(), degree, static_cast<uint16_t>(value + 5));
  std::fill_n(record.generations(), degree, static_cast<uint8_t>(value + 6));
  for (uint32_t block = 0; block < degree / 32; ++block) {
    std::memset(record.tiles(block), value + 7 + static_cast<int>(block), layout.tile_block_bytes);
  }
}

void expect_parts(ConstRecord record, uint8_t value) {
  const Layout &layout = record.layout();
  const uint32_t degree = layout.degree;
  const auto all = [](const auto *first, size_t count, uint32_t expected) {
    return std::all_of(first, first + count, [&](auto item) { return item == expected; });
  };
  ASSERT_EQ(record.header().neighbor_count, value);
  ASSERT_EQ(record.header().factors.norm_squared, static_cast<float>(value));
  ASSERT_TRUE(all(record.code(), quantize::code_bytes(layout.shape.dims, layout.shape.code_bits),
                  value + 1u));
  ASSERT_TRUE(all(record.ids(), degree, value + 2u));
  ASSERT_TRUE(all(record.scales(), degree, value + 3u));
  ASSERT_TRUE(all(record.offsets(), degree, value + 4u));
  ASSERT_TRUE(all(record.residuals(), degree, value + 5u));
  ASSERT_TRUE(all(record.generations(), degree, value + 6u));
  for (uint32_t block = 0; block < degree / 32; ++block) {
    ASSERT_TRUE(all(record.tiles(block), layout.tile_block_bytes, value + 7u + block));
  }
}

TEST(Record, PartsOfAllRecordsOfAPageAreSeparate) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    GuardedArray<uint8_t> page(kPageBytes);
    std::memset(page.data(), 0xee, kPageBytes);
    for (uint32_t slot = 0; slot < layout.slots; ++slot) {
      const Record record = record_in(page.data(), slot, layout);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(record.ids()) % alignof(uint32_t), 0u);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(&record.header()) % alignof(RecordHeader), 0u);
      fill_parts(record, static_cast<uint8_t>(20 * slot));
    }
    for (uint32_t slot = 0; slot < layout.slots; ++slot) {
      const ConstRecord record = record_in(const_cast<const uint8_t *>(page.data()), slot, layout);
      ASSERT_NO_FATAL_FAILURE(expect_parts(record, static_cast<uint8_t>(20 * slot)));
    }
    for (size_t i = 0; i < kPageHeaderBytes; ++i) ASSERT_EQ(page[i], 0xee);
    for (size_t i = kPageBytes - kSpecialBytes; i < kPageBytes; ++i) ASSERT_EQ(page[i], 0xee);
  }
}

TEST(Record, ChainedTidsFillTheRecordAndNoMore) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    GuardedArray<uint8_t> bytes(layout.stride);
    const Record record(bytes.data(), layout);
    record.header().chain = 17;
    record.header().element = 18;
    record.header().state = static_cast<uint8_t>(State::kTids);
    record.tids_header().count = layout.tids_capacity();
    for (uint32_t i = 0; i < layout.tids_capacity(); ++i) {
      record.chained_tids()[i] = {1, 2, static_cast<uint16_t>(i)};
    }
    EXPECT_EQ(record.header().chain, 17u);
    EXPECT_EQ(record.header().element, 18u);
    EXPECT_EQ(record.state(), State::kTids);
    EXPECT_EQ(record.tids_header().count, layout.tids_capacity());
    EXPECT_FALSE(record.traversable());
    // Sealing stamps the record and keeps what readers follow.
    std::memset(record.delete_xid(), 0xff, 8);
    EXPECT_EQ(record.header().chain, 17u);
    EXPECT_EQ(record.header().element, 18u);
    EXPECT_EQ(record.state(), State::kTids);
  }
}

TEST(Record, OnlyElementsWithSaneCountsAreTraversable) {
  const Layout layout = choose_layout(768, Metric::kL2, 64);
  std::vector<uint8_t> bytes(layout.stride);
  const Record record(bytes.data(), layout);
  for (uint32_t state = 0; state < 256; ++state) {
    for (const uint32_t count : {0u, 1u, 64u, 65u, 0xffffu}) {
      record.header().state = static_cast<uint8_t>(state);
      record.header().neighbor_count = static_cast<uint16_t>(count);
      const bool element = state >= 1 && state <= 3;
      EXPECT_EQ(record.traversable(), element && count <= 64) << state << ", " << count;
    }
  }
}

TEST(Record, IdsAreBlocksAndSlots) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    uint32_t expected = 5 * layout.slots;
    for (uint32_t block = 5; block < 50; ++block) {
      for (uint32_t slot = 0; slot < layout.slots; ++slot) {
        const uint32_t id = record_id(block, slot, layout);
        EXPECT_EQ(id, expected++);
        EXPECT_EQ(block_of(id, layout), block);
        EXPECT_EQ(slot_of(id, layout), slot);
      }
    }
  }
}

}  // namespace
}  // namespace vann::hnsw

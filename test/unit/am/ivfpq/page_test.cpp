// page_test.cpp — layouts fit pages for every shape, contradictory metapages are refused, and the parts
// of pages neither overlap nor leave them.
#include "am/ivfpq/page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "layouts.hpp"
#include "support/guarded_array.hpp"

namespace vann::ivfpq {
namespace {

using quantize::Codec;
using vann::test::GuardedArray;

constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};
constexpr Codec kCodecs[] = {Codec::kRabitq, Codec::kPq4, Codec::kPq8};
constexpr uint32_t kMaxDims = 16000;
constexpr size_t kPageEnd = kPageHeaderBytes + kUsableBytes;

using VisitLayout = std::function<void(uint32_t, const LayoutOptions &, const Layout &)>;

void visit_layouts_of(uint32_t dims, const VisitLayout &visit) {
  const Metric metric = kMetrics[dims % 3];
  for (const Codec codec : kCodecs) {
    for (uint32_t bits : {0u, 4u, 5u, 6u, 7u, 8u}) {
      const LayoutOptions options{codec, 0, bits};
      visit(dims, options, choose_layout(dims, metric, options));
    }
    if (codec == Codec::kRabitq) continue;
    for (const uint32_t subvectors : {1u, 2u, dims / 16, dims / 3, dims / 2, dims, 16000u}) {
      const LayoutOptions options{codec, subvectors, 0};
      visit(dims, options, choose_layout(dims, metric, options));
    }
  }
}

void for_every_layout(const VisitLayout &visit) {
  for (uint32_t dims = 1; dims <= kMaxDims; dims += dims < 600 ? 1 : 7) {
    visit_layouts_of(dims, visit);
    if (testing::Test::HasFatalFailure()) FAIL() << dims << " dimensions";
  }
  visit_layouts_of(kMaxDims, visit);
}

// ---- Parts in their places --------------------------------------------------------------------

void expect_scan_pages_in_place(const Layout &layout) {
  ASSERT_GE(layout.block_begin,
            kPageHeaderBytes + sizeof(ScanHeader) + sizeof(uint32_t) * layout.refine_pages);
  ASSERT_EQ(layout.block_begin % 8, 0u);
  ASSERT_EQ(layout.block_bytes % 8, 0u);
  ASSERT_GE(layout.blocks, 1u);
  ASSERT_LE(layout.block_begin + uint64_t{layout.blocks} * layout.block_bytes, kPageEnd);
  ASSERT_GE(layout.scales, kTilesOffset + quantize::block_code_bytes(layout.rows));
  ASSERT_EQ(layout.scales % alignof(uint16_t), 0u);
  ASSERT_GE(layout.offsets, layout.scales + kBlockRows * sizeof(uint16_t));
  ASSERT_GE(layout.errors, layout.offsets + kBlockRows * sizeof(uint16_t));
  ASSERT_GE(layout.tids, layout.errors + kBlockRows * sizeof(uint16_t));
  ASSERT_EQ((layout.offsets | layout.errors | layout.tids) % alignof(uint16_t), 0u);
  ASSERT_GE(layout.block_bytes, layout.tids + kBlockRows * sizeof(HeapTid));
  ASSERT_EQ(layout.page_rows(), layout.blocks * 32);
}

void expect_refine_pages_in_place(const Layout &layout) {
  ASSERT_GE(layout.refine_slots, 1u);
  ASSERT_GE(layout.refine_stride,
            sizeof(quantize::RefineFactors) + quantize::refine_code_bytes(layout.rows));
  ASSERT_EQ(layout.refine_stride % alignof(float), 0u);
  ASSERT_EQ((kPageHeaderBytes + kRefineHeaderBytes) % alignof(float), 0u);
  ASSERT_LE(kRefineHeaderBytes + uint64_t{layout.refine_slots} * layout.refine_stride,
            kUsableBytes);
  ASSERT_LE(layout.page_rows(), layout.refine_pages * layout.refine_slots);
  const RefinePlace last = refine_place(layout.page_rows() - 1, layout);
  ASSERT_LT(last.page, layout.refine_pages);
  ASSERT_LT(last.slot, layout.refine_slots);
}

void expect_directory_in_place(const Layout &layout) {
  const quantize::CodeShape &shape = layout.centroids;
  const size_t tiles =
      kBlockRows * quantize::neighbor_code_bytes(shape.neighbor_dims, shape.neighbor_bits);
  ASSERT_GE(layout.directory_begin, kPageHeaderBytes + sizeof(ScanHeader));
  ASSERT_EQ(layout.directory_begin % 8, 0u);
  ASSERT_EQ(layout.directory_block_bytes % 4, 0u);
  ASSERT_GE(layout.directory_blocks, 1u);
  ASSERT_LE(
      layout.directory_begin + uint64_t{layout.directory_blocks} * layout.directory_block_bytes,
      kPageEnd);
  ASSERT_GE(layout.centroid_scales, kTilesOffset + tiles);
  ASSERT_GE(layout.centroid_offsets, layout.centroid_scales + kBlockRows * sizeof(uint16_t));
  ASSERT_GE(layout.centroid_residuals, layout.centroid_offsets + kBlockRows * sizeof(uint16_t));
  ASSERT_GE(layout.centroid_lengths, layout.centroid_residuals + kBlockRows * sizeof(uint16_t));
  ASSERT_GE(layout.centroid_lists, layout.centroid_lengths + kBlockRows * sizeof(uint16_t));
  ASSERT_EQ(layout.centroid_lists % alignof(uint32_t), 0u);
  ASSERT_GE(layout.directory_block_bytes, layout.centroid_lists + kBlockRows * sizeof(uint32_t));
}

void expect_lists_in_place(const Layout &layout) {
  ASSERT_GE(layout.list_slots, 1u);
  ASSERT_GE(
      layout.list_stride,
      sizeof(ListRecord) + quantize::code_bytes(layout.rotated_dims, layout.centroids.code_bits));
  ASSERT_EQ(layout.list_stride % alignof(ListRecord), 0u);
  ASSERT_EQ((kPageHeaderBytes + sizeof(ListPageHeader)) % alignof(ListRecord), 0u);
  ASSERT_LE(sizeof(ListPageHeader) + uint64_t{layout.list_slots} * layout.list_stride,
            kUsableBytes);
}

// What the rotation, the codes and the kernels require of shapes.
void expect_usable_shapes(const Layout &layout, uint32_t dims) {
  const quantize::ListShape &rows = layout.rows;
  const quantize::CodeShape &centroids = layout.centroids;
  ASSERT_GE(layout.rotated_dims, dims);
  ASSERT_EQ(layout.rotated_dims % 16, 0u);
  ASSERT_EQ(rows.dims, layout.rotated_dims);
  ASSERT_EQ(centroids.dims, layout.rotated_dims);
  ASSERT_GE(rows.refine_bits, quantize::kMinCodeBits);
  ASSERT_LE(rows.refine_bits, quantize::kMaxCodeBits);
  if (rows.codec == Codec::kRabitq) {
    ASSERT_GE(rows.scan_dims, 64u);
    ASSERT_EQ(rows.scan_dims % 64, 0u);
    ASSERT_LE(rows.scan_dims, rows.dims);
  } else {
    ASSERT_GE(rows.subvectors, 1u);
    ASSERT_LE(rows.subvectors, rows.dims);
    ASSERT_EQ(rows.scan_dims, quantize::scan_dims_of(rows.codec, rows.subvectors));
  }
  ASSERT_GE(centroids.neighbor_dims, 64u);
  ASSERT_EQ(centroids.neighbor_dims % 64, 0u);
  ASSERT_LE(centroids.neighbor_dims, centroids.dims);
  ASSERT_TRUE(centroids.neighbor_bits == 1 || centroids.neighbor_bits == 2);
  ASSERT_TRUE(centroids.code_bits == 4 || centroids.code_bits == 8);
}

void expect_all_in_place(const Layout &layout, uint32_t dims) {
  ASSERT_NO_FATAL_FAILURE(expect_usable_shapes(layout, dims));
  ASSERT_NO_FATAL_FAILURE(expect_scan_pages_in_place(layout));
  ASSERT_NO_FATAL_FAILURE(expect_refine_pages_in_place(layout));
  ASSERT_NO_FATAL_FAILURE(expect_directory_in_place(layout));
  ASSERT_NO_FATAL_FAILURE(expect_lists_in_place(layout));
}

TEST(Layout, FitsPagesForEveryShape) {
  for_every_layout([](uint32_t dims, const LayoutOptions &options, const Layout &layout) {
    SCOPED_TRACE(testing::Message()
                 << "codec " << static_cast<int>(options.codec) << ", " << options.subvectors
                 << " subvectors, " << options.refine_bits << " bits");
    ASSERT_EQ(layout.dims, dims);
    ASSERT_EQ(layout.rows.codec, options.codec);
    ASSERT_NO_FATAL_FAILURE(expect_all_in_place(layout, dims));
  });
}

TEST(Layout, LeavesAtMostOneDimensionIn25WithoutAScanCode) {
  for_every_layout([](uint32_t, const LayoutOptions &options, const Layout &layout) {
    if (options.codec != Codec::kRabitq || layout.rotated_dims > 1856) return;
    ASSERT_LE((layout.rotated_dims - layout.rows.scan_dims) * 25, layout.rotated_dims);
  });
}

TEST(Layout, TakesTheBitsThatTheUserWantsWhereTheyFit) {
  for_every_layout([](uint32_t dims, const LayoutOptions &options, const Layout &layout) {
    if (options.refine_bits == 0) return;
    ASSERT_LE(layout.rows.refine_bits, options.refine_bits);
    if (dims > 8000) return;
    ASSERT_EQ(layout.rows.refine_bits, options.refine_bits);
  });
}

double bytes_per_row(const Layout &layout) {
  return static_cast<double>(kPageBytes) * (1 + layout.refine_pages) / layout.page_rows();
}

// The default never costs more pages than four bits do.
TEST(Layout, FinerRefineCodesFillPagesThatFourBitsLeaveEmpty) {
  for_every_layout([](uint32_t dims, const LayoutOptions &options, const Layout &layout) {
    if (options.refine_bits != 0) return;
    const LayoutOptions four{options.codec, options.subvectors, 4};
    ASSERT_LE(bytes_per_row(layout), bytes_per_row(choose_layout(dims, kMetrics[dims % 3], four)));
  });
}

TEST(Layout, FullPagesTakeAtMostAQuarterOfTheVectors) {
  for (const uint32_t dims : {128u, 384u, 768u, 784u, 960u, 1024u, 1536u}) {
    for (const Codec codec : kCodecs) {
      const Layout layout = choose_layout(dims, Metric::kL2, {codec, 0, 0});
      const double share = bytes_per_row(layout) / (4.0 * dims);
      RecordProperty(
          "share_of_" + std::to_string(dims) + "_codec_" + std::to_string(static_cast<int>(codec)),
          std::to_string(share));
      EXPECT_LE(share, 0.25) << dims << ", codec " << static_cast<int>(codec);
    }
  }
}

TEST(Layout, DependsOnTheMetricByItsGeometryOnly) {
  for (uint32_t dims = 1; dims <= kMaxDims; dims += 397) {
    const LayoutOptions options{kCodecs[dims % 3], 0, 0};
    Layout inner_product = choose_layout(dims, Metric::kInnerProduct, options);
    const Layout l2 = choose_layout(dims, Metric::kL2, options);
    EXPECT_EQ(inner_product.rows.geometry, quantize::Geometry::kInnerProduct);
    EXPECT_EQ(inner_product.centroids.geometry, quantize::Geometry::kInnerProduct);
    inner_product.rows.geometry = inner_product.centroids.geometry = quantize::Geometry::kL2;
    EXPECT_TRUE(inner_product == l2);
    const Layout cosine = choose_layout(dims, Metric::kCosine, options);
    EXPECT_TRUE(cosine == l2);
  }
}

// ---- The metapage -----------------------------------------------------------------------------

TEST(Layout, SurvivesTheMetapage) {
  for_every_layout([](uint32_t dims, const LayoutOptions &options, const Layout &layout) {
    Layout read;
    ASSERT_TRUE(layout_from_meta(test::meta_of(layout, kMetrics[dims % 3]), &read))
        << "codec " << static_cast<int>(options.codec) << ", " << options.subvectors
        << " subvectors, " << options.refine_bits << " bits";
    ASSERT_TRUE(read == layout);
  });
}

TEST(Layout, EveryContradictionIsRefused) {
  for (const Codec codec : kCodecs) {
    const MetaPage good =
        test::meta_of(choose_layout(1000, Metric::kL2, {codec, 0, 0}), Metric::kL2);
    Layout layout;
    ASSERT_TRUE(layout_from_meta(good, &layout));
    const auto refused = [&](auto MetaPage::*field, auto value) {
      MetaPage bad = good;
      using Field = std::remove_reference_t<decltype(bad.*field)>;
      if (bad.*field == static_cast<Field>(value)) return true;
      bad.*field = static_cast<Field>(value);
      return !layout_from_meta(bad, &layout);
    };
    for (const uint32_t value : {0u, 1u, 3u, 9u, 31u, 64u, 255u, 2000u, 65536u, 0xffffffffu}) {
      EXPECT_TRUE(refused(&MetaPage::rotated_dims, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::scan_dims, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::centroid_dims, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::anchor_bits, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::centroid_bits, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::refine_bits, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::attribute_bytes, value)) << value;
      EXPECT_TRUE(refused(&MetaPage::dims, value)) << value;
      // A few subvectors of 4 bits more or less leave the layout as it is.
      if (codec != Codec::kPq4 || value != 255) {
        EXPECT_TRUE(refused(&MetaPage::subvectors, value)) << value;
      }
    }
    for (const uint32_t value : {3u, 4u, 255u}) {
      EXPECT_TRUE(refused(&MetaPage::metric, value));
      EXPECT_TRUE(refused(&MetaPage::codec, value));
    }
  }
}

TEST(Layout, DimensionsThatFillMoreThanAPageAreRefused) {
  for (uint32_t dims = 15000; dims <= 65535; dims += 11) {
    for (const Codec codec : kCodecs) {
      const MetaPage meta =
          test::meta_of(choose_layout(dims, Metric::kL2, {codec, 0, 0}), Metric::kL2);
      Layout layout;
      const bool read = layout_from_meta(meta, &layout);
      ASSERT_TRUE(read || dims > kMaxDims);
      if (!read) continue;
      ASSERT_NO_FATAL_FAILURE(expect_all_in_place(layout, dims));
    }
  }
}

// Damage that layout_from_meta accepts must leave everything within its page.
void expect_harmless(const MetaPage &meta) {
  Layout layout;
  if (!layout_from_meta(meta, &layout)) return;
  ASSERT_NO_FATAL_FAILURE(expect_all_in_place(layout, meta.dims));
}

TEST(Layout, NoFlippedBitLeavesAPage) {
  for (const test::LayoutCase &from : test::layout_cases()) {
    const MetaPage good = test::meta_of(from.layout(), from.metric);
    for (size_t bit = 0; bit < sizeof(MetaPage) * 8; ++bit) {
      MetaPage bad = good;
      reinterpret_cast<uint8_t *>(&bad)[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      ASSERT_NO_FATAL_FAILURE(expect_harmless(bad)) << from.dims << ", bit " << bit;
    }
  }
}

TEST(Layout, RandomMetapagesNeverLeaveThePage) {
  std::mt19937 generator(3);
  const std::vector<test::LayoutCase> cases = test::layout_cases();
  for (int i = 0; i < 200000; ++i) {
    const test::LayoutCase &from = cases[generator() % cases.size()];
    MetaPage meta = test::meta_of(from.layout(), from.metric);
    uint32_t *const fields[] = {&meta.dims, &meta.rotated_dims, &meta.subvectors, &meta.scan_dims,
                                &meta.centroid_dims};
    uint8_t *const bytes[] = {&meta.metric,      &meta.codec,         &meta.refine_bits,
                              &meta.anchor_bits, &meta.centroid_bits, &meta.rotation};
    for (int changes = 0; changes < 3; ++changes) {
      uint32_t &field = *fields[generator() % std::size(fields)];
      const uint32_t choice = generator() % 5;
      if (choice == 0) field = generator();
      if (choice == 1) field += generator() % 129 - 64;
      if (choice == 2) field *= 2;
      if (choice == 3) field = field / 64 * 64;
      if (choice == 4)
        *bytes[generator() % std::size(bytes)] = static_cast<uint8_t>(generator() % 10);
    }
    ASSERT_NO_FATAL_FAILURE(expect_harmless(meta));
  }
}

// ---- Page images ------------------------------------------------------------------------------

template <class T>
bool all(const T *first, size_t count, uint32_t expected) {
  return std::all_of(first, first + count,
                     [&](T item) { return item == static_cast<T>(expected); });
}

void expect_rims_untouched(const GuardedArray<uint8_t> &page) {
  for (size_t i = 0; i < kPageHeaderBytes; ++i) ASSERT_EQ(page[i], 0xee);
  for (size_t i = kPageEnd; i < kPageBytes; ++i) ASSERT_EQ(page[i], 0xee);
}

TEST(ScanPage, PartsOfAllBlocksAreSeparate) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    GuardedArray<uint8_t> page(kPageBytes);
    std::memset(page.data(), 0xee, kPageBytes);
    scan_header(page.data()) = {1, 2, kSealed, 3, 0, 0, 4};
    std::fill_n(refine_blocks(page.data()), layout.refine_pages, 5u);
    for (uint32_t i = 0; i < layout.blocks; ++i) {
      const Block block = block_in(page.data(), i, layout);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(&block.header()) % alignof(BlockHeader), 0u);
      block.header() = {i, i + 1, i + 2, i + 3};
      std::memset(block.tiles(), static_cast<int>(i + 10), quantize::block_code_bytes(layout.rows));
      std::fill_n(block.scales(), kBlockRows, static_cast<uint16_t>(i + 20));
      std::fill_n(block.offsets(), kBlockRows, static_cast<uint16_t>(i + 30));
      std::fill_n(block.errors(), kBlockRows, static_cast<uint16_t>(i + 40));
      std::fill_n(block.tids(), kBlockRows, HeapTid{1, 2, static_cast<uint16_t>(i + 50)});
    }
    const uint8_t *const read = page.data();
    EXPECT_EQ(scan_header(read).list, 1u);
    EXPECT_EQ(scan_header(read).moved_xid, 4u);
    EXPECT_TRUE(all(refine_blocks(read), layout.refine_pages, 5));
    for (uint32_t i = 0; i < layout.blocks; ++i) {
      const ConstBlock block = block_in(read, i, layout);
      EXPECT_EQ(block.header().live, i);
      EXPECT_EQ(block.header().reserved, i + 3);
      EXPECT_TRUE(all(block.tiles(), quantize::block_code_bytes(layout.rows), i + 10));
      EXPECT_TRUE(all(block.scales(), kBlockRows, i + 20));
      EXPECT_TRUE(all(block.offsets(), kBlockRows, i + 30));
      EXPECT_TRUE(all(block.errors(), kBlockRows, i + 40));
      EXPECT_EQ(block.tids()[0].offset, i + 50);
      EXPECT_EQ(block.tids()[kBlockRows - 1].offset, i + 50);
    }
    ASSERT_NO_FATAL_FAILURE(expect_rims_untouched(page));
  }
}

TEST(DirectoryPage, PartsOfAllBlocksAreSeparate) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const size_t tiles = kBlockRows * quantize::neighbor_code_bytes(layout.centroids.neighbor_dims,
                                                                    layout.centroids.neighbor_bits);
    GuardedArray<uint8_t> page(kPageBytes);
    std::memset(page.data(), 0xee, kPageBytes);
    scan_header(page.data()) = {1, 2, 0, 0, 0, 0, 4};
    for (uint32_t i = 0; i < layout.directory_blocks; ++i) {
      const Entries entries = entries_in(page.data(), i, layout);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(entries.lists()) % alignof(uint32_t), 0u);
      entries.header() = {i, i + 1, i + 2, i + 3};
      std::memset(entries.tiles(), static_cast<int>(i + 10), tiles);
      std::fill_n(entries.scales(), kBlockRows, static_cast<uint16_t>(i + 20));
      std::fill_n(entries.offsets(), kBlockRows, static_cast<uint16_t>(i + 30));
      std::fill_n(entries.residuals(), kBlockRows, static_cast<uint16_t>(i + 40));
      std::fill_n(entries.lengths(), kBlockRows, static_cast<uint16_t>(i + 50));
      std::fill_n(entries.lists(), kBlockRows, i + 60);
    }
    const uint8_t *const read = page.data();
    for (uint32_t i = 0; i < layout.directory_blocks; ++i) {
      const ConstEntries entries = entries_in(read, i, layout);
      EXPECT_EQ(entries.header().anchor, i + 2);
      EXPECT_TRUE(all(entries.tiles(), tiles, i + 10));
      EXPECT_TRUE(all(entries.scales(), kBlockRows, i + 20));
      EXPECT_TRUE(all(entries.offsets(), kBlockRows, i + 30));
      EXPECT_TRUE(all(entries.residuals(), kBlockRows, i + 40));
      EXPECT_TRUE(all(entries.lengths(), kBlockRows, i + 50));
      EXPECT_TRUE(all(entries.lists(), kBlockRows, i + 60));
    }
    EXPECT_EQ(scan_header(read).next, 2u);
    ASSERT_NO_FATAL_FAILURE(expect_rims_untouched(page));
  }
}

TEST(RefinePage, RowsAreSeparate) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const size_t planes = quantize::refine_code_bytes(layout.rows);
    GuardedArray<uint8_t> page(kPageBytes);
    std::memset(page.data(), 0xee, kPageBytes);
    refine_header(page.data()) = {7, 8};
    for (uint32_t slot = 0; slot < layout.refine_slots; ++slot) {
      uint8_t *const row = refine_row_in(page.data(), slot, layout);
      refine_factors(row) = {static_cast<float>(slot), 1.0f, 2.0f};
      std::memset(refine_planes(row), static_cast<int>(slot % 200), planes);
    }
    const uint8_t *const read = page.data();
    EXPECT_EQ(refine_header(read).scan_page, 7u);
    EXPECT_EQ(refine_header(read).list, 8u);
    for (uint32_t slot = 0; slot < layout.refine_slots; ++slot) {
      const uint8_t *const row = refine_row_in(read, slot, layout);
      EXPECT_EQ(refine_factors(row).scale, static_cast<float>(slot));
      EXPECT_EQ(refine_factors(row).error, 2.0f);
      EXPECT_TRUE(all(refine_planes(row), planes, slot % 200));
    }
    ASSERT_NO_FATAL_FAILURE(expect_rims_untouched(page));
  }
}

// Every row of a scan page has a place of its own for its refine code.
TEST(RefinePage, PlacesOfRowsDiffer) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    std::vector<bool> taken(layout.refine_pages * layout.refine_slots);
    for (uint32_t row = 0; row < layout.page_rows(); ++row) {
      const RefinePlace place = refine_place(row, layout);
      ASSERT_LT(place.page, layout.refine_pages);
      ASSERT_LT(place.slot, layout.refine_slots);
      const size_t number = place.page * layout.refine_slots + place.slot;
      ASSERT_FALSE(taken[number]);
      taken[number] = true;
    }
  }
}

TEST(ListPage, RecordsAreSeparate) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const size_t code = quantize::code_bytes(layout.rotated_dims, layout.centroids.code_bits);
    GuardedArray<uint8_t> page(kPageBytes);
    std::memset(page.data(), 0xee, kPageBytes);
    list_page_header(page.data()) = {7, 8};
    for (uint32_t slot = 0; slot < layout.list_slots; ++slot) {
      const ListView list = list_in(page.data(), slot, layout);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(&list.record()) % alignof(ListRecord), 0u);
      list.record() = {};
      list.record().state = static_cast<uint8_t>(ListState::kRetired);
      list.record().delete_xid = slot;
      list.record().factors = {1.0f, 2.0f, static_cast<float>(slot)};
      std::memset(list.code(), static_cast<int>(slot % 200), code);
    }
    const uint8_t *const read = page.data();
    EXPECT_EQ(list_page_header(read).next, 7u);
    for (uint32_t slot = 0; slot < layout.list_slots; ++slot) {
      const ConstListView list = list_in(read, slot, layout);
      EXPECT_EQ(list.state(), ListState::kRetired);
      EXPECT_EQ(list.record().delete_xid, slot);
      EXPECT_EQ(list.record().factors.cosine, static_cast<float>(slot));
      EXPECT_TRUE(all(list.code(), code, slot % 200));
    }
    ASSERT_NO_FATAL_FAILURE(expect_rims_untouched(page));
  }
}

TEST(ListPage, IdsAreBlocksAndSlots) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    uint32_t expected = 5 * layout.list_slots;
    for (uint32_t block = 5; block < 50; ++block) {
      for (uint32_t slot = 0; slot < layout.list_slots; ++slot) {
        const uint32_t id = list_id(block, slot, layout);
        EXPECT_EQ(id, expected++);
        EXPECT_EQ(block_of(id, layout), block);
        EXPECT_EQ(slot_of(id, layout), slot);
      }
    }
  }
}

TEST(ModelPage, FloatsFillThePageAndNoMore) {
  GuardedArray<uint8_t> page(kPageBytes);
  std::memset(page.data(), 0xee, kPageBytes);
  model_header(page.data()) = {7, static_cast<uint32_t>(kModelPageFloats)};
  std::fill_n(model_floats(page.data()), kModelPageFloats, 1.5f);
  EXPECT_EQ(model_header(page.data()).next, 7u);
  EXPECT_LT(kUsableBytes - sizeof(ModelHeader) - kModelPageFloats * sizeof(float), sizeof(float));
  ASSERT_NO_FATAL_FAILURE(expect_rims_untouched(page));
}

}  // namespace
}  // namespace vann::ivfpq

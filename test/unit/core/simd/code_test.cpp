// code_test.cpp — integer kernels of every table: dot products of codes, products of groups, scan.
#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "each_table.hpp"
#include "support/guarded_array.hpp"

namespace vann::simd {
namespace {

using test::GuardedArray;

const std::vector<size_t> kDims = {0,   64,  128,  192,  256,  320,  448,  512, 576,
                                   640, 768, 1024, 1088, 1536, 4096, 4160, 16384};

// ---- Codes with int8 queries ---------------------------------------------------------------

// Writes one digit of `bits` bits as kernels.hpp lays planes out.
void put_digit(uint8_t *plane, size_t bits, size_t dim, int digit) {
  const size_t block = dim / kCodeBlock, i = dim % kCodeBlock;
  uint8_t *bytes = plane + block * kCodeBlock * bits / 8;
  if (bits == 1) {
    bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | digit << (i % 8));
  } else {
    const size_t stride = kCodeBlock * bits / 8;
    uint8_t &byte = bytes[i % stride];
    byte = static_cast<uint8_t>(byte | digit << (i / stride * bits));
  }
}

using Dot = int32_t (*Kernels::*)(const uint8_t *, const int8_t *, size_t) noexcept;

struct Plane {
  size_t bits;
  Dot dot;
};
const Plane kPlanes[] = {{8, &Kernels::dot_u8_i8},
                         {4, &Kernels::dot_u4_i8},
                         {2, &Kernels::dot_u2_i8},
                         {1, &Kernels::dot_u1_i8}};

using Digit = std::function<int(size_t dim, int max)>;
using Value = std::function<int(size_t dim)>;

void check_planes(const Digit &digit_of, const Value &value_of) {
  for (const Plane &plane : kPlanes) {
    for (size_t dims : kDims) {
      for (size_t slack : {0, 1, 31}) {
        GuardedArray<uint8_t> code(dims * plane.bits / 8, slack);
        GuardedArray<int8_t> query(dims, slack);
        std::fill(code.span().begin(), code.span().end(), uint8_t{0});
        int64_t expected = 0;
        for (size_t i = 0; i < dims; i++) {
          const int digit = digit_of(i, (1 << plane.bits) - 1), v = value_of(i);
          put_digit(code.data(), plane.bits, i, digit);
          query[i] = static_cast<int8_t>(v);
          expected += int64_t{digit} * v;
        }
        for_each_table([&](const Kernels &k) {
          EXPECT_EQ((k.*plane.dot)(code.data(), query.data(), dims), expected)
              << plane.bits << " bits, " << dims << " dims";
        });
      }
    }
  }
}

TEST(CodeDot, MatchesTheIntegersForRandomCodes) {
  Random random(5);
  check_planes([&](size_t, int max) { return uniform(random, 0, max); },
               [&](size_t) { return uniform(random, -128, 127); });
}

TEST(CodeDot, DoesNotSaturateAtTheExtremes) {
  const auto largest = [](size_t, int max) { return max; };
  check_planes(largest, [](size_t) { return -128; });
  check_planes(largest, [](size_t) { return 127; });
  check_planes(largest, [](size_t i) { return i % 2 ? -128 : 127; });
}

// One digit at a time: every dimension meets its own query value.
TEST(CodeDot, PutsEveryDigitAtItsDimension) {
  for (const Plane &plane : kPlanes) {
    GuardedArray<int8_t> query(128);
    for (size_t i = 0; i < 128; i++) query[i] = static_cast<int8_t>(static_cast<int>(i) - 64);
    for (size_t i = 0; i < 128; i++) {
      GuardedArray<uint8_t> code(16 * plane.bits);
      std::fill(code.span().begin(), code.span().end(), uint8_t{0});
      put_digit(code.data(), plane.bits, i, 1);
      for_each_table([&](const Kernels &k) {
        EXPECT_EQ((k.*plane.dot)(code.data(), query.data(), 128), query[i]) << plane.bits;
      });
    }
  }
}

TEST(DotI8, MatchesTheIntegers) {
  Random random(6);
  for (size_t dims : kDims) {
    for (int kind = 0; kind < 4; kind++) {
      GuardedArray<int8_t> a(dims, 1), b(dims, 0);
      int64_t expected = 0;
      for (size_t i = 0; i < dims; i++) {
        a[i] = static_cast<int8_t>(kind == 0 ? uniform(random, -128, 127) : -128);
        b[i] = static_cast<int8_t>(kind <= 1 ? uniform(random, -128, 127) : kind == 2 ? -128 : 127);
        expected += int64_t{a[i]} * b[i];
      }
      for_each_table([&](const Kernels &k) {
        EXPECT_EQ(k.dot_i8(a.data(), b.data(), dims), expected) << dims << " kind " << kind;
      });
    }
  }
}

// ---- Products of groups --------------------------------------------------------------------

struct Group {
  size_t rows, dims, stride;
  GuardedArray<int8_t> values;  // ends with the last row's last value

  Group(size_t n_rows, size_t n_dims, size_t gap, const std::function<int()> &value)
      : rows(n_rows), dims(n_dims), stride(n_dims + gap),
        values(n_rows == 0 ? 0 : (n_rows - 1) * stride + n_dims) {
    for (int8_t &v : values.span()) v = static_cast<int8_t>(value());
  }
  const int8_t *row(size_t i) const { return values.data() + i * stride; }
};

constexpr int32_t kUntouched = 0x5a5a5a5a;

void check_products(size_t a_rows, size_t b_rows, size_t dims, size_t gap,
                    const std::function<int()> &value) {
  SCOPED_TRACE(testing::Message() << a_rows << " x " << b_rows << ", " << dims << " dims");
  const Group a(a_rows, dims, gap, value), b(b_rows, dims, gap, value);
  const size_t columns = (b_rows + kPackRows - 1) / kPackRows * kPackRows;
  const size_t out_stride = columns + 5;
  for_each_table([&](const Kernels &k) {
    GuardedArray<int8_t> packed(packed_i8_bytes(b_rows, dims));
    k.pack_i8(b.values.data(), b.stride, b_rows, dims, packed.data());
    GuardedArray<int32_t> out(a_rows == 0 ? 0 : (a_rows - 1) * out_stride + columns);
    std::fill(out.span().begin(), out.span().end(), kUntouched);
    k.products_i8(a.values.data(), a.stride, a_rows, packed.data(), b_rows, dims, out.data(),
                  out_stride);
    for (size_t i = 0; i < a_rows; i++) {
      for (size_t j = 0; j < b_rows; j++) {
        int32_t expected = 0;
        for (size_t d = 0; d < dims; d++) expected += a.row(i)[d] * b.row(j)[d];
        ASSERT_EQ(out[i * out_stride + j], expected) << i << ", " << j;
      }
      for (size_t j = columns; j < out_stride && i + 1 < a_rows; j++) {
        ASSERT_EQ(out[i * out_stride + j], kUntouched) << i << ", " << j;
      }
    }
  });
}

TEST(Products, MatchTheIntegersForRaggedGroups) {
  Random random(7);
  const auto any = [&] { return uniform(random, -128, 127); };
  for (size_t a_rows : {0, 1, 2, 5, 6, 7, 13}) {
    for (size_t b_rows : {0, 1, 15, 16, 17, 63, 64, 65, 100}) {
      for (size_t dims : {64, 192}) check_products(a_rows, b_rows, dims, 0, any);
      check_products(a_rows, b_rows, 128, 9, any);
    }
  }
}

TEST(Products, MatchTheIntegersForManyDimensions) {
  Random random(8);
  const auto any = [&] { return uniform(random, -128, 127); };
  for (size_t dims : {512, 576, 1024, 1088, 2048}) check_products(9, 33, dims, 3, any);
}

TEST(Products, DoNotSaturateAtTheExtremes) {
  check_products(7, 17, 16384, 0, [] { return -128; });
  check_products(7, 17, 16384, 0, [] { return 127; });
  int turn = 0;
  check_products(7, 17, 1024, 0, [&] { return turn++ % 3 == 0 ? 127 : -128; });
}

// ---- Table scan ----------------------------------------------------------------------------

void check_scan(size_t dims, const std::function<int()> &code, const std::function<int()> &entry,
                size_t slack) {
  GuardedArray<uint8_t> tiles(dims * 4, slack), table(dims * 4, slack);
  for (uint8_t &byte : tiles.span()) byte = static_cast<uint8_t>(code());
  for (uint8_t &byte : table.span()) byte = static_cast<uint8_t>(entry());
  std::vector<uint32_t> expected(kScanWidth, 0);
  for (size_t slot = 0; slot < kScanWidth; slot++) {
    for (size_t dim = 0; dim < dims; dim += 4) {
      const size_t g = dim / 64, byte = dim % 64 / 8, nibble = dim % 8 / 4;
      const size_t subset = tiles[(g * 32 + slot) * 8 + byte] >> (4 * nibble) & 15;
      const size_t line = ((g * 2 + byte / 4) * 2 + nibble) * 4 + byte % 4;
      expected[slot] += table[line * 16 + subset];
    }
  }
  for_each_table([&](const Kernels &k) {
    GuardedArray<uint32_t> sums(kScanWidth, slack);
    k.scan32(tiles.data(), table.data(), dims, sums.data());
    for (size_t slot = 0; slot < kScanWidth; slot++) {
      ASSERT_EQ(sums[slot], expected[slot]) << dims << " dims, slot " << slot;
    }
    EXPECT_TRUE(sums.slack_intact());
  });
}

TEST(Scan32, MatchesTheDefinition) {
  Random random(9);
  const auto any = [&] { return uniform(random, 0, 255); };
  for (size_t dims : kDims) {
    for (size_t slack : {0, 1, 17}) check_scan(dims, any, any, slack);
  }
}

// Around every length at which 16-bit sums would overflow if they were not widened.
TEST(Scan32, DoesNotOverflowWithTheLargestTable) {
  Random random(10);
  const auto any = [&] { return uniform(random, 0, 255); };
  for (size_t dims : {1024, 1088, 2048, 2112, 4096, 4160, 8192, 8256, 16320, 16384}) {
    check_scan(dims, any, [] { return 255; }, 0);
  }
}

void check_subset_sums(const std::vector<int16_t> &values, size_t slack) {
  const size_t n = values.size();
  for_each_table([&](const Kernels &k) {
    GuardedArray<int16_t> in(n, slack);
    std::copy(values.begin(), values.end(), in.data());
    GuardedArray<uint8_t> table(n * 4, slack);
    k.subset_sums(in.data(), n, table.data());
    for (size_t dim = 0; dim < n; dim += 4) {
      int least = 0;
      for (size_t j = 0; j < 4; ++j) least += std::min<int>(values[dim + j], 0);
      const size_t g = dim / 64, byte = dim % 64 / 8, nibble = dim % 8 / 4;
      const size_t line = ((g * 2 + byte / 4) * 2 + nibble) * 4 + byte % 4;
      for (size_t subset = 0; subset < 16; ++subset) {
        int sum = -least;
        for (size_t j = 0; j < 4; ++j) sum += (subset >> j & 1) != 0 ? values[dim + j] : 0;
        const int expected = (sum + (1 << (kSubsetFraction - 1))) >> kSubsetFraction;
        ASSERT_EQ(table.data()[line * 16 + subset], expected) << dim << ", " << subset;
      }
    }
    EXPECT_TRUE(table.slack_intact());
  });
}

TEST(SubsetSums, AreTheTableOfTheScan) {
  Random random(11);
  for (size_t dims : {64, 128, 704, 768}) {
    std::vector<int16_t> values(dims);
    for (int16_t &value : values) value = static_cast<int16_t>(uniform(random, -8160, 8160));
    for (size_t slack : {0, 1, 17}) check_subset_sums(values, slack);
  }
}

// Four magnitudes that add up to all that an entry holds, in every combination of signs.
TEST(SubsetSums, ReachTheLargestEntry) {
  constexpr int16_t kMost = 255 << kSubsetFraction;
  std::vector<int16_t> values(64, 0);
  for (size_t i = 0; i < 64; ++i) {
    const bool negative = (i / 4 >> i % 4 & 1) != 0;
    values[i] = static_cast<int16_t>(negative ? -kMost / 4 : kMost / 4);
  }
  check_subset_sums(values, 0);
  values.assign(64, 0);
  for (size_t i = 0; i < 64; i += 4) values[i + i / 4 % 4] = i % 8 == 0 ? kMost : -kMost;
  check_subset_sums(values, 0);
}

}  // namespace
}  // namespace vann::simd

// kernels_avx2.cpp — kernels for AVX2, FMA and F16C (Haswell, Zen and later). Everything is in an
// unnamed namespace: see kernels_impl.hpp. See README.md for the reasons behind each kernel.

#if defined(__x86_64__)

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <immintrin.h>
#include <xsimd/xsimd.hpp>

#include "core/simd/kernels_impl.hpp"
#include "core/simd/list_impl.hpp"
#include "core/simd/residual_impl.hpp"
#include "core/simd/sum_lanes.hpp"
#include "core/simd/tables.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::simd {
namespace {

__m128i load16(const void *p) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i *>(p));
}
__m256i load32(const void *p) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i *>(p));
}
__m256i widen(const int8_t *p) noexcept { return _mm256_cvtepi8_epi16(load16(p)); }

// ---- Float kernels -------------------------------------------------------------------------

struct Avx2Lanes {
  using Batch = xsimd::batch<float, xsimd::fma3<xsimd::avx2>>;
  static constexpr size_t kWidth = 8;

  static Batch zero() noexcept { return Batch(0.0f); }
  static Batch broadcast(float x) noexcept { return Batch(x); }
  static Batch load(const float *p) noexcept { return Batch::load_unaligned(p); }
  static Batch load(const uint16_t *p) noexcept { return _mm256_cvtph_ps(load16(p)); }
  static __m256i first(size_t n) noexcept {
    const __m256i lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)), lanes);
  }
  static Batch load_part(const float *p, size_t n) noexcept {
    return _mm256_maskload_ps(p, first(n));
  }
  // AVX2 masks only 32-bit elements, halves take the way over the stack.
  static Batch load_part(const uint16_t *p, size_t n) noexcept {
    uint16_t halves[kWidth] = {};
    std::memcpy(halves, p, n * sizeof(*p));
    return load(halves);
  }
  static void store(float *p, Batch x) noexcept { x.store_unaligned(p); }
  static Batch fma(Batch a, Batch b, Batch c) noexcept { return xsimd::fma(a, b, c); }
  static Batch abs(Batch x) noexcept { return xsimd::abs(x); }
  static float sum(Batch x) noexcept { return sum_lanes(x); }
  template <size_t h>
  static Batch exchange(Batch x) noexcept {
    if constexpr (h == 1) return _mm256_permute_ps(x, 0xb1);
    if constexpr (h == 2) return _mm256_permute_ps(x, 0x4e);
    if constexpr (h == 4) return _mm256_permute2f128_ps(x, x, 0x01);
  }
};

__m128i to_halves(__m256 x) noexcept {
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

void f16_to_f32(const uint16_t *in, float *out, size_t n) noexcept {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) Avx2Lanes::store(out + i, Avx2Lanes::load(in + i));
  if (i < n) {
    _mm256_maskstore_ps(out + i, Avx2Lanes::first(n - i), Avx2Lanes::load_part(in + i, n - i));
  }
}

void f32_to_f16(const float *in, uint16_t *out, size_t n) noexcept {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i *>(out + i), to_halves(_mm256_loadu_ps(in + i)));
  }
  if (i < n) {
    uint16_t halves[Avx2Lanes::kWidth];
    _mm_storeu_si128(reinterpret_cast<__m128i *>(halves),
                     to_halves(Avx2Lanes::load_part(in + i, n - i)));
    std::memcpy(out + i, halves, (n - i) * sizeof(*out));
  }
}

// ---- Codes with int8 queries ---------------------------------------------------------------
// A plane policy returns the dot product of one block of 64 dimensions, spread over eight int32
// lanes.

int32_t sum_lanes(__m256i x) noexcept {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

// Digits below 16 times int8: two vpmaddubsw pairs stay within 4 * 15 * 128 and cannot saturate.
__m256i dot_digits(__m256i digits0, __m256i digits1, const int8_t *query) noexcept {
  const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(digits0, load32(query)),
                                         _mm256_maddubs_epi16(digits1, load32(query + 32)));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// Full bytes would saturate vpmaddubsw; they are widened to 16 bits instead.
struct PlaneU8 {
  static constexpr size_t kBytes = 64;
  static __m256i dot(const uint8_t *code, const int8_t *query) noexcept {
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < kCodeBlock; i += 16) {
      const __m256i digits = _mm256_cvtepu8_epi16(load16(code + i));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(digits, widen(query + i)));
    }
    return sum;
  }
};

struct PlaneU4 {
  static constexpr size_t kBytes = 32;
  static __m256i dot(const uint8_t *code, const int8_t *query) noexcept {
    const __m256i both = load32(code), mask = _mm256_set1_epi8(15);
    return dot_digits(_mm256_and_si256(both, mask),
                      _mm256_and_si256(_mm256_srli_epi16(both, 4), mask), query);
  }
};

struct PlaneU2 {
  static constexpr size_t kBytes = 16;
  static __m256i dot(const uint8_t *code, const int8_t *query) noexcept {
    const __m256i mask = _mm256_set1_epi8(3);
    const __m256i four = _mm256_broadcastsi128_si256(load16(code));
    const __m256i low = _mm256_srlv_epi64(four, _mm256_set_epi64x(2, 2, 0, 0));
    return dot_digits(_mm256_and_si256(low, mask),
                      _mm256_and_si256(_mm256_srli_epi16(low, 4), mask), query);
  }
};

struct PlaneU1 {
  static constexpr size_t kBytes = 8;

  // 32 bits to 32 bytes of 0 or 1.
  static __m256i spread(const uint8_t *code) noexcept {
    uint32_t bits;
    std::memcpy(&bits, code, sizeof(bits));
    const __m256i source = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202,
                                             0x0101010101010101, 0x0000000000000000);
    const __m256i bytes =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(bits)), source);
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    return _mm256_min_epu8(_mm256_and_si256(bytes, bit), _mm256_set1_epi8(1));
  }

  static __m256i dot(const uint8_t *code, const int8_t *query) noexcept {
    return dot_digits(spread(code), spread(code + 4), query);
  }
};

template <class Plane>
int32_t dot_plane(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  __m256i acc0 = _mm256_setzero_si256(), acc1 = acc0;
  const int8_t *end = query + dims;
  for (; query + 2 * kCodeBlock <= end; query += 2 * kCodeBlock, code += 2 * Plane::kBytes) {
    acc0 = _mm256_add_epi32(acc0, Plane::dot(code, query));
    acc1 = _mm256_add_epi32(acc1, Plane::dot(code + Plane::kBytes, query + kCodeBlock));
  }
  if (query < end) acc0 = _mm256_add_epi32(acc0, Plane::dot(code, query));
  return sum_lanes(_mm256_add_epi32(acc0, acc1));
}

int32_t dot_i8(const int8_t *a, const int8_t *b, size_t dims) noexcept {
  __m256i acc0 = _mm256_setzero_si256(), acc1 = acc0;
  for (size_t i = 0; i < dims; i += 32) {
    acc0 = _mm256_add_epi32(acc0, _mm256_madd_epi16(widen(a + i), widen(b + i)));
    acc1 = _mm256_add_epi32(acc1, _mm256_madd_epi16(widen(a + i + 16), widen(b + i + 16)));
  }
  return sum_lanes(_mm256_add_epi32(acc0, acc1));
}

// ---- Products of groups --------------------------------------------------------------------
// Packed form: [b_rows / 16][dims / 2][16][2]. Widened to 16 bits, eight rows by two dimensions
// fill a register, against which a pair of values of `a` is broadcast; vpmaddwd adds the two
// products exactly.

constexpr size_t kTileRows = 6;   // 12 accumulators, 2 + 1 operands of 16 registers
constexpr size_t kDepth = 512;    // dimensions of `a` that are widened at a time

void pack_i8(const int8_t *b, size_t stride, size_t b_rows, size_t dims,
             int8_t *b_packed) noexcept {
  for (size_t first = 0; first < b_rows; first += kPackRows) {
    for (size_t k = 0; k < dims; k += 2) {
      for (size_t r = 0; r < kPackRows; r++) {
        uint16_t two = 0;
        if (first + r < b_rows) std::memcpy(&two, b + (first + r) * stride + k, sizeof(two));
        std::memcpy(b_packed, &two, sizeof(two));
        b_packed += sizeof(two);
      }
    }
  }
}

// Rows of a as 16-bit values; a ragged tile repeats its last row and does not store it again.
struct RowTile {
  alignas(32) int16_t values[kTileRows][kDepth];
  size_t count;
  size_t depth;

  void load(const int8_t *a, size_t stride) noexcept {
    for (size_t r = 0; r < kTileRows; r++) {
      const int8_t *row = a + (r < count ? r : count - 1) * stride;
      for (size_t k = 0; k < depth; k += 16) {
        _mm256_store_si256(reinterpret_cast<__m256i *>(&values[r][k]), widen(row + k));
      }
    }
  }
};

// Adds the products over the tile's depth to 16 columns of `out`, or sets them.
void product_tile(const RowTile &a, const int8_t *panel, bool add, int32_t *out,
                  size_t out_stride) noexcept {
  __m256i acc[kTileRows][2];
#pragma GCC unroll 6
  for (size_t r = 0; r < kTileRows; r++) {
    const int32_t *row_out = out + (r < a.count ? r : a.count - 1) * out_stride;
    acc[r][0] = add ? load32(row_out) : _mm256_setzero_si256();
    acc[r][1] = add ? load32(row_out + 8) : _mm256_setzero_si256();
  }
  for (size_t k = 0; k < a.depth; k += 2) {
    const __m256i b0 = widen(panel + k * kPackRows);
    const __m256i b1 = widen(panel + k * kPackRows + 16);
    for (size_t r = 0; r < kTileRows; r++) {
      int32_t two;
      std::memcpy(&two, &a.values[r][k], sizeof(two));
      const __m256i value = _mm256_set1_epi32(two);
      acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(b0, value));
      acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(b1, value));
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < kTileRows; r++) {
    if (r >= a.count) continue;
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + r * out_stride), acc[r][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + r * out_stride + 8), acc[r][1]);
  }
}

void products_i8(const int8_t *a, size_t stride, size_t a_rows, const int8_t *b_packed,
                 size_t b_rows, size_t dims, int32_t *out, size_t out_stride) noexcept {
  RowTile tile;
  for (size_t i = 0; i < a_rows; i += kTileRows) {
    tile.count = a_rows - i < kTileRows ? a_rows - i : kTileRows;
    for (size_t k = 0; k < dims; k += kDepth) {
      tile.depth = dims - k < kDepth ? dims - k : kDepth;
      tile.load(a + i * stride + k, stride);
      for (size_t first = 0; first < b_rows; first += kPackRows) {
        product_tile(tile, b_packed + first * dims + k * kPackRows, k > 0,
                     out + i * out_stride + first, out_stride);
      }
    }
  }
}

// ---- Table scan ----------------------------------------------------------------------------

// 32 codes of eight bytes transposed: byte[p] holds byte p of all codes in order. The low lanes do
// this for neighbors 0..15, the high lanes for 16..31, so that one table serves both.
struct ByteColumns {
  __m256i byte[8];

  explicit ByteColumns(const uint8_t *tiles) noexcept {
    const __m256i pair = _mm256_broadcastsi128_si256(
        _mm_set_epi8(15, 7, 14, 6, 13, 5, 12, 4, 11, 3, 10, 2, 9, 1, 8, 0));
    __m256i two[8];  // each word: one position of two neighbors
    for (size_t i = 0; i < 8; i++) {
      const __m256i codes = _mm256_inserti128_si256(
          _mm256_castsi128_si256(load16(tiles + 16 * i)), load16(tiles + 128 + 16 * i), 1);
      two[i] = _mm256_shuffle_epi8(codes, pair);
    }
    __m256i four[2][4];  // [position / 4][group]: each doubleword one position of four neighbors
    for (size_t i = 0; i < 4; i++) {
      four[0][i] = _mm256_unpacklo_epi16(two[2 * i], two[2 * i + 1]);
      four[1][i] = _mm256_unpackhi_epi16(two[2 * i], two[2 * i + 1]);
    }
    for (size_t half = 0; half < 2; half++) {
      const __m256i low0 = _mm256_unpacklo_epi32(four[half][0], four[half][1]);
      const __m256i high0 = _mm256_unpackhi_epi32(four[half][0], four[half][1]);
      const __m256i low1 = _mm256_unpacklo_epi32(four[half][2], four[half][3]);
      const __m256i high1 = _mm256_unpackhi_epi32(four[half][2], four[half][3]);
      byte[4 * half] = _mm256_unpacklo_epi64(low0, low1);
      byte[4 * half + 1] = _mm256_unpackhi_epi64(low0, low1);
      byte[4 * half + 2] = _mm256_unpacklo_epi64(high0, high1);
      byte[4 * half + 3] = _mm256_unpackhi_epi64(high0, high1);
    }
  }
};

// Sums of 32 neighbors as u16 that may wrap: `all` adds the bytes in pairs (even + 256 odd), `odd`
// the odd bytes alone, so that even = all - 256 odd modulo 2^16.
struct PairSums {
  __m256i all = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();

  void add(__m256i bytes) noexcept {
    all = _mm256_add_epi16(all, bytes);
    odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
  }

  void add_to(uint32_t *sums) const noexcept {
    const __m256i even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
    add_sixteen(_mm256_unpacklo_epi16(even, odd), sums);
    add_sixteen(_mm256_unpackhi_epi16(even, odd), sums + 8);
  }

 private:
  // Low lane: eight sums from `sums` on; high lane: those 16 neighbors later.
  static void add_sixteen(__m256i values, uint32_t *sums) noexcept {
    add_eight(_mm256_castsi256_si128(values), sums);
    add_eight(_mm256_extracti128_si256(values, 1), sums + 16);
  }
  static void add_eight(__m128i values, uint32_t *sums) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(sums),
                        _mm256_add_epi32(load32(sums), _mm256_cvtepu16_epi32(values)));
  }
};

__m256i table16(const uint8_t *p) noexcept { return _mm256_broadcastsi128_si256(load16(p)); }

// A neighbor gets at most 16 * 255 per block: 16 blocks fit in u16.
constexpr size_t kBlocksPerWidening = 16;

void scan32(const uint8_t *tiles, const uint8_t *table, size_t dims, uint32_t *sums) noexcept {
  const __m256i nibble = _mm256_set1_epi8(15);
  std::memset(sums, 0, kScanWidth * sizeof(*sums));
  for (size_t blocks = dims / kCodeBlock; blocks > 0;) {
    const size_t count = blocks < kBlocksPerWidening ? blocks : kBlocksPerWidening;
    PairSums pairs;
    for (size_t block = 0; block < count; block++, tiles += 256, table += 256) {
      const ByteColumns codes(tiles);
      for (size_t p = 0; p < 8; p++) {
        const uint8_t *entries = table + p / 4 * 128 + p % 4 * 16;
        const __m256i low = _mm256_and_si256(codes.byte[p], nibble);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(codes.byte[p], 4), nibble);
        pairs.add(_mm256_shuffle_epi8(table16(entries), low));
        pairs.add(_mm256_shuffle_epi8(table16(entries + 64), high));
      }
    }
    pairs.add_to(sums);
    blocks -= count;
  }
}

// ---- Codes of residuals --------------------------------------------------------------------

struct Avx2Residual {
  using Floats [[gnu::vector_size(32)]] = float;
  using Ints [[gnu::vector_size(32)]] = int32_t;
  static constexpr size_t kWidth = 8;

  static uint32_t signs(Ints x) noexcept {
    return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(x)));
  }
  static Floats max(Floats x, Floats y) noexcept { return _mm256_max_ps(x, y); }
  static Floats min(Floats x, Floats y) noexcept { return _mm256_min_ps(x, y); }
  static Floats load_i8(const int8_t *p) noexcept {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(p));
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
  }
};

}  // namespace

constinit const Kernels kAvx2Kernels = {
    .name = "avx2",
    .l2_squared_f32 = l2_squared<Avx2Lanes, float>,
    .dot_f32 = dot<Avx2Lanes, float>,
    .l1_f32 = l1<Avx2Lanes, float>,
    .dot_norms_f32 = dot_norms<Avx2Lanes, float>,
    .l2_squared_f16 = l2_squared<Avx2Lanes, uint16_t>,
    .dot_f16 = dot<Avx2Lanes, uint16_t>,
    .l1_f16 = l1<Avx2Lanes, uint16_t>,
    .dot_norms_f16 = dot_norms<Avx2Lanes, uint16_t>,
    .f16_to_f32 = f16_to_f32,
    .f32_to_f16 = f32_to_f16,
    .hadamard = hadamard<Avx2Lanes>,
    .dot_u8_i8 = dot_plane<PlaneU8>,
    .dot_u4_i8 = dot_plane<PlaneU4>,
    .dot_u2_i8 = dot_plane<PlaneU2>,
    .dot_u1_i8 = dot_plane<PlaneU1>,
    .dot_i8 = dot_i8,
    .pack_i8 = pack_i8,
    .products_i8 = products_i8,
    .scan32 = scan32,
    .lookup32 = lookup32<Avx2Residual>,
    .bound32 = bound32<Avx2Residual>,
    .subset_sums = subset_sums<Avx2Lanes>,
    .decode_i8 = decode_i8<Avx2Residual>,
    .residual_squared = residual_squared<Avx2Residual>,
    .encode_residual_u1 = encode_residual<Avx2Residual, 1>,
    .encode_residual_u2 = encode_residual<Avx2Residual, 2>,
};

}  // namespace vann::simd

#endif

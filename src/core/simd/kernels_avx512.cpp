// kernels_avx512.cpp — kernels for AVX-512 F, BW, DQ, VL and VNNI (Ice Lake, Zen 4 and later).
// Tails are read with masked loads, which never touch memory beyond the mask. Everything is in an
// unnamed namespace: see kernels_impl.hpp. See README.md for the reasons behind each kernel.

#if defined(__x86_64__)

// GCC's own intrinsics pass deliberately undefined registers (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

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

// ---- Float kernels -------------------------------------------------------------------------

struct Avx512Lanes {
  using Batch = xsimd::batch<float, xsimd::avx512bw>;
  static constexpr size_t kWidth = 16;

  // Mask of the first n < 16 lanes.
  static __mmask16 first(size_t n) noexcept { return static_cast<__mmask16>((1u << n) - 1); }

  static Batch zero() noexcept { return Batch(0.0f); }
  static Batch broadcast(float x) noexcept { return Batch(x); }
  static Batch load(const float *p) noexcept { return Batch::load_unaligned(p); }
  static Batch load(const uint16_t *p) noexcept {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)));
  }
  static Batch load_part(const float *p, size_t n) noexcept {
    return _mm512_maskz_loadu_ps(first(n), p);
  }
  static Batch load_part(const uint16_t *p, size_t n) noexcept {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p));
  }
  static void store(float *p, Batch x) noexcept { x.store_unaligned(p); }
  // xsimd 8.1 multiplies and adds separately on AVX-512.
  static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm512_fmadd_ps(a, b, c); }
  static Batch abs(Batch x) noexcept { return xsimd::abs(x); }
  static float sum(Batch x) noexcept { return sum_lanes(x); }
  template <size_t h>
  static Batch exchange(Batch x) noexcept {
    if constexpr (h == 1) return _mm512_permute_ps(x, 0xb1);
    if constexpr (h == 2) return _mm512_permute_ps(x, 0x4e);
    if constexpr (h == 4) return _mm512_shuffle_f32x4(x, x, 0xb1);
    if constexpr (h == 8) return _mm512_shuffle_f32x4(x, x, 0x4e);
  }
};

void f16_to_f32(const uint16_t *in, float *out, size_t n) noexcept {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) Avx512Lanes::store(out + i, Avx512Lanes::load(in + i));
  if (i < n) {
    _mm512_mask_storeu_ps(out + i, Avx512Lanes::first(n - i),
                          Avx512Lanes::load_part(in + i, n - i));
  }
}

void f32_to_f16(const float *in, uint16_t *out, size_t n) noexcept {
  constexpr int kNearestEven = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i *>(out + i),
                        _mm512_cvtps_ph(_mm512_loadu_ps(in + i), kNearestEven));
  }
  if (i < n) {
    const __m512 part = Avx512Lanes::load_part(in + i, n - i);
    _mm256_mask_storeu_epi16(out + i, Avx512Lanes::first(n - i),
                             _mm512_cvtps_ph(part, kNearestEven));
  }
}

// ---- Codes with int8 queries ---------------------------------------------------------------
// vpdpbusd multiplies unsigned by signed bytes and adds four products to each int32 lane, without
// saturation. A plane policy adds one block of 64 dimensions to an accumulator.

__m512i load64(const void *p) noexcept { return _mm512_loadu_si512(p); }

struct PlaneU8 {
  static constexpr size_t kBytes = 64;
  static __m512i add(__m512i acc, const uint8_t *code, const int8_t *query) noexcept {
    return _mm512_dpbusd_epi32(acc, load64(code), load64(query));
  }
};

struct PlaneU4 {
  static constexpr size_t kBytes = 32;
  static __m512i add(__m512i acc, const uint8_t *code, const int8_t *query) noexcept {
    const __m512i both =
        _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(code)));
    const __m512i shifts = _mm512_set_epi64(4, 4, 4, 4, 0, 0, 0, 0);
    const __m512i digits = _mm512_and_si512(_mm512_srlv_epi64(both, shifts), _mm512_set1_epi8(15));
    return _mm512_dpbusd_epi32(acc, digits, load64(query));
  }
};

struct PlaneU2 {
  static constexpr size_t kBytes = 16;
  static __m512i add(__m512i acc, const uint8_t *code, const int8_t *query) noexcept {
    const __m512i four =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i *>(code)));
    const __m512i shifts = _mm512_set_epi64(6, 6, 4, 4, 2, 2, 0, 0);
    const __m512i digits = _mm512_and_si512(_mm512_srlv_epi64(four, shifts), _mm512_set1_epi8(3));
    return _mm512_dpbusd_epi32(acc, digits, load64(query));
  }
};

struct PlaneU1 {
  static constexpr size_t kBytes = 8;
  static __m512i add(__m512i acc, const uint8_t *code, const int8_t *query) noexcept {
    uint64_t bits;
    std::memcpy(&bits, code, sizeof(bits));
    const __m512i selected = _mm512_maskz_loadu_epi8(_cvtu64_mask64(bits), query);
    return _mm512_dpbusd_epi32(acc, _mm512_set1_epi8(1), selected);
  }
};

// Four chains cover the latency of vpdpbusd (four to five cycles).
template <class Plane>
int32_t dot_plane(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  __m512i acc0 = _mm512_setzero_si512(), acc1 = acc0, acc2 = acc0, acc3 = acc0;
  const int8_t *end = query + dims;
  for (; query + 4 * kCodeBlock <= end; query += 4 * kCodeBlock, code += 4 * Plane::kBytes) {
    acc0 = Plane::add(acc0, code, query);
    acc1 = Plane::add(acc1, code + Plane::kBytes, query + kCodeBlock);
    acc2 = Plane::add(acc2, code + 2 * Plane::kBytes, query + 2 * kCodeBlock);
    acc3 = Plane::add(acc3, code + 3 * Plane::kBytes, query + 3 * kCodeBlock);
  }
  for (; query < end; query += kCodeBlock, code += Plane::kBytes) {
    acc0 = Plane::add(acc0, code, query);
  }
  return _mm512_reduce_add_epi32(
      _mm512_add_epi32(_mm512_add_epi32(acc0, acc1), _mm512_add_epi32(acc2, acc3)));
}

// sum(a b) = sum((a + 128) b) - sum(128 b); flipping the top bit adds 128.
int32_t dot_i8(const int8_t *a, const int8_t *b, size_t dims) noexcept {
  const __m512i offset = _mm512_set1_epi8(-128);
  __m512i product0 = _mm512_setzero_si512(), product1 = product0;
  __m512i excess0 = product0, excess1 = product0;
  size_t i = 0;
  for (; i + 2 * kCodeBlock <= dims; i += 2 * kCodeBlock) {
    const __m512i b0 = load64(b + i), b1 = load64(b + i + kCodeBlock);
    product0 = _mm512_dpbusd_epi32(product0, _mm512_xor_si512(load64(a + i), offset), b0);
    product1 =
        _mm512_dpbusd_epi32(product1, _mm512_xor_si512(load64(a + i + kCodeBlock), offset), b1);
    excess0 = _mm512_dpbusd_epi32(excess0, offset, b0);
    excess1 = _mm512_dpbusd_epi32(excess1, offset, b1);
  }
  if (i < dims) {
    const __m512i b0 = load64(b + i);
    product0 = _mm512_dpbusd_epi32(product0, _mm512_xor_si512(load64(a + i), offset), b0);
    excess0 = _mm512_dpbusd_epi32(excess0, offset, b0);
  }
  return _mm512_reduce_add_epi32(_mm512_sub_epi32(_mm512_add_epi32(product0, product1),
                                                  _mm512_add_epi32(excess0, excess1)));
}

// ---- Products of groups --------------------------------------------------------------------
// Packed form: [b_rows / 16][dims / 4][16][4] unsigned, value + 128: one register holds four
// dimensions of 16 rows, against which four bytes of `a` are broadcast.

constexpr size_t kTileRows = 6;    // rows of a
constexpr size_t kTilePanels = 4;  // panels of 16 rows of b: 24 accumulators, 4 + 1 operands

void pack_i8(const int8_t *b, size_t stride, size_t b_rows, size_t dims,
             int8_t *b_packed) noexcept {
  for (size_t first = 0; first < b_rows; first += kPackRows) {
    for (size_t k = 0; k < dims; k += 4) {
      for (size_t r = 0; r < kPackRows; r++) {
        uint32_t four = 0;
        if (first + r < b_rows) std::memcpy(&four, b + (first + r) * stride + k, sizeof(four));
        four ^= 0x80808080u;
        std::memcpy(b_packed, &four, sizeof(four));
        b_packed += sizeof(four);
      }
    }
  }
}

// What the offset of b adds to every product with this row: 128 times the row's sum.
int32_t offset_products(const int8_t *row, size_t dims) noexcept {
  __m512i sum = _mm512_setzero_si512();
  for (size_t k = 0; k < dims; k += kCodeBlock) {
    sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(-128), load64(row + k));
  }
  return _mm512_reduce_add_epi32(sum);
}

// Rows of a that form one tile; a ragged tile repeats its last row and does not store it again.
struct RowTile {
  const int8_t *rows[kTileRows];
  int32_t offsets[kTileRows];
  size_t count;
};

// All loops over the accumulators are unrolled, otherwise the compiler keeps a copy of them on the
// stack and stores to it in the inner loop.
template <size_t kPanels>
void product_tile(const RowTile &a, const int8_t *panels, size_t dims, int32_t *out,
                  size_t out_stride) noexcept {
  __m512i acc[kTileRows][kPanels];
#pragma GCC unroll 6
  for (size_t r = 0; r < kTileRows; r++) {
#pragma GCC unroll 4
    for (size_t p = 0; p < kPanels; p++) acc[r][p] = _mm512_set1_epi32(-a.offsets[r]);
  }
  for (size_t k = 0; k < dims; k += 4) {
    __m512i b[kPanels];
    for (size_t p = 0; p < kPanels; p++) b[p] = load64(panels + kPackRows * (p * dims + k));
    for (size_t r = 0; r < kTileRows; r++) {
      int32_t four;
      std::memcpy(&four, a.rows[r] + k, sizeof(four));
      const __m512i value = _mm512_set1_epi32(four);
      for (size_t p = 0; p < kPanels; p++) {
        acc[r][p] = _mm512_dpbusd_epi32(acc[r][p], b[p], value);
      }
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < kTileRows; r++) {
#pragma GCC unroll 4
    for (size_t p = 0; p < kPanels; p++) {
      if (r < a.count) _mm512_storeu_si512(out + r * out_stride + p * kPackRows, acc[r][p]);
    }
  }
}

void products_i8(const int8_t *a, size_t stride, size_t a_rows, const int8_t *b_packed,
                 size_t b_rows, size_t dims, int32_t *out, size_t out_stride) noexcept {
  const size_t panels = (b_rows + kPackRows - 1) / kPackRows;
  for (size_t i = 0; i < a_rows; i += kTileRows) {
    RowTile tile;
    tile.count = a_rows - i < kTileRows ? a_rows - i : kTileRows;
    for (size_t r = 0; r < kTileRows; r++) {
      tile.rows[r] = a + (i + (r < tile.count ? r : tile.count - 1)) * stride;
      tile.offsets[r] = offset_products(tile.rows[r], dims);
    }
    int32_t *row_out = out + i * out_stride;
    size_t p = 0;
    for (; p + kTilePanels <= panels; p += kTilePanels) {
      product_tile<kTilePanels>(tile, b_packed + p * kPackRows * dims, dims,
                                row_out + p * kPackRows, out_stride);
    }
    for (; p < panels; p++) {
      product_tile<1>(tile, b_packed + p * kPackRows * dims, dims, row_out + p * kPackRows,
                      out_stride);
    }
  }
}

// ---- Table scan ----------------------------------------------------------------------------

// Sums of 16 neighbors in each of four lanes, as u16 that may wrap: `all` adds the bytes in pairs
// (even + 256 odd), `odd` the odd bytes alone, so that even = all - 256 odd modulo 2^16.
struct PairSums {
  __m512i all = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();

  void add(__m512i bytes) noexcept {
    all = _mm512_add_epi16(all, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
  }

  // The 16 sums over the four lanes, as u32 in neighbor order.
  __m512i total() const noexcept {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
    const __m512i low = _mm512_unpacklo_epi16(even, odd);   // neighbors 0..7 of each lane
    const __m512i high = _mm512_unpackhi_epi16(even, odd);  // neighbors 8..15
    return add_lanes(
        add_halves(_mm512_unpacklo_epi16(low, zero), _mm512_unpackhi_epi16(low, zero)),
        add_halves(_mm512_unpacklo_epi16(high, zero), _mm512_unpackhi_epi16(high, zero)));
  }

 private:
  // Lanes of x: x0 + x2, x1 + x3, then the same of y.
  static __m512i add_halves(__m512i x, __m512i y) noexcept {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(x, y, 0x44), _mm512_shuffle_i32x4(x, y, 0xee));
  }
  // Lanes: x0 + x1, x2 + x3, then the same of y.
  static __m512i add_lanes(__m512i x, __m512i y) noexcept {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(x, y, 0x88), _mm512_shuffle_i32x4(x, y, 0xdd));
  }
};

// 16 neighbors (two registers of eight codes) transposed: lane j of `low` holds byte j, lane j of
// `high` byte 4 + j of all 16 codes.
struct ByteLanes {
  __m512i low, high;

  explicit ByteLanes(const uint8_t *tiles) noexcept {
    const __m512i first = by_position(load64(tiles));
    const __m512i second = by_position(load64(tiles + 64));
    low = _mm512_unpacklo_epi64(first, second);
    high = _mm512_unpackhi_epi64(first, second);
  }

  // Eight codes of eight bytes to eight positions of eight bytes: quadword 2 j is byte j, quadword
  // 2 j + 1 is byte 4 + j. The byte shuffle pairs up equal positions, the word shuffle crosses
  // lanes.
  static __m512i by_position(__m512i codes) noexcept {
    const __m512i pair =
        _mm512_broadcast_i32x4(_mm_set_epi8(15, 7, 14, 6, 13, 5, 12, 4, 11, 3, 10, 2, 9, 1, 8, 0));
    const __m512i cross =
        _mm512_set_epi16(31, 23, 15, 7, 27, 19, 11, 3, 30, 22, 14, 6, 26, 18, 10, 2,  //
                         29, 21, 13, 5, 25, 17, 9, 1, 28, 20, 12, 4, 24, 16, 8, 0);
    return _mm512_permutexvar_epi16(cross, _mm512_shuffle_epi8(codes, pair));
  }
};

void scan_codes(PairSums &sums, __m512i bytes, const uint8_t *table) noexcept {
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i low = _mm512_and_si512(bytes, nibble);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble);
  sums.add(_mm512_shuffle_epi8(load64(table), low));
  sums.add(_mm512_shuffle_epi8(load64(table + 64), high));
}

// A lane gets at most 4 * 255 per block: 64 blocks fit in u16.
constexpr size_t kBlocksPerWidening = 64;

void scan32(const uint8_t *tiles, const uint8_t *table, size_t dims, uint32_t *sums) noexcept {
  __m512i total0 = _mm512_setzero_si512(), total1 = total0;
  for (size_t blocks = dims / kCodeBlock; blocks > 0;) {
    const size_t count = blocks < kBlocksPerWidening ? blocks : kBlocksPerWidening;
    PairSums sums0, sums1;
    for (size_t block = 0; block < count; block++, tiles += 256, table += 256) {
      const ByteLanes codes0(tiles), codes1(tiles + 128);
      scan_codes(sums0, codes0.low, table);
      scan_codes(sums0, codes0.high, table + 128);
      scan_codes(sums1, codes1.low, table);
      scan_codes(sums1, codes1.high, table + 128);
    }
    total0 = _mm512_add_epi32(total0, sums0.total());
    total1 = _mm512_add_epi32(total1, sums1.total());
    blocks -= count;
  }
  _mm512_storeu_si512(sums, total0);
  _mm512_storeu_si512(sums + 16, total1);
}

// ---- Codes of residuals --------------------------------------------------------------------

struct Avx512Residual {
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

constinit const Kernels kAvx512Kernels = {
    .name = "avx512",
    .l2_squared_f32 = l2_squared<Avx512Lanes, float>,
    .dot_f32 = dot<Avx512Lanes, float>,
    .l1_f32 = l1<Avx512Lanes, float>,
    .dot_norms_f32 = dot_norms<Avx512Lanes, float>,
    .l2_squared_f16 = l2_squared<Avx512Lanes, uint16_t>,
    .dot_f16 = dot<Avx512Lanes, uint16_t>,
    .l1_f16 = l1<Avx512Lanes, uint16_t>,
    .dot_norms_f16 = dot_norms<Avx512Lanes, uint16_t>,
    .f16_to_f32 = f16_to_f32,
    .f32_to_f16 = f32_to_f16,
    .hadamard = hadamard<Avx512Lanes>,
    .dot_u8_i8 = dot_plane<PlaneU8>,
    .dot_u4_i8 = dot_plane<PlaneU4>,
    .dot_u2_i8 = dot_plane<PlaneU2>,
    .dot_u1_i8 = dot_plane<PlaneU1>,
    .dot_i8 = dot_i8,
    .pack_i8 = pack_i8,
    .products_i8 = products_i8,
    .scan32 = scan32,
    .lookup32 = lookup32<Avx512Residual>,
    .bound32 = bound32<Avx512Residual>,
    .subset_sums = subset_sums<Avx512Lanes>,
    .decode_i8 = decode_i8<Avx512Residual>,
    .residual_squared = residual_squared<Avx512Residual>,
    .encode_residual_u1 = encode_residual<Avx512Residual, 1>,
    .encode_residual_u2 = encode_residual<Avx512Residual, 2>,
};

}  // namespace vann::simd

#endif

// kernels_neon.cpp — kernels for AArch64, whose baseline includes NEON with fused multiply-add and
// half conversions. Everything is in an unnamed namespace: see kernels_impl.hpp.

#if defined(__aarch64__)

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <arm_neon.h>
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

struct NeonLanes {
  using Batch = xsimd::batch<float, xsimd::neon64>;
  static constexpr size_t kWidth = 4;

  static Batch zero() noexcept { return Batch(0.0f); }
  static Batch broadcast(float x) noexcept { return Batch(x); }
  static Batch load(const float *p) noexcept { return Batch::load_unaligned(p); }
  static Batch load(const uint16_t *p) noexcept {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
  }
  // NEON has no masked load, tails take the way over the stack.
  template <class Element>
  static Batch load_part(const Element *p, size_t n) noexcept {
    Element part[kWidth] = {};
    std::memcpy(part, p, n * sizeof(*p));
    return load(part);
  }
  static void store(float *p, Batch x) noexcept { x.store_unaligned(p); }
  static Batch fma(Batch a, Batch b, Batch c) noexcept { return vfmaq_f32(c, a, b); }
  static Batch abs(Batch x) noexcept { return xsimd::abs(x); }
  static float sum(Batch x) noexcept { return sum_lanes(x); }
  template <size_t h>
  static Batch exchange(Batch x) noexcept {
    if constexpr (h == 1) return vrev64q_f32(x);
    if constexpr (h == 2) return vextq_f32(x, x, 2);
  }
};

uint16x4_t to_halves(float32x4_t x) noexcept { return vreinterpret_u16_f16(vcvt_f16_f32(x)); }

void f16_to_f32(const uint16_t *in, float *out, size_t n) noexcept {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) NeonLanes::store(out + i, NeonLanes::load(in + i));
  if (i < n) {
    float part[NeonLanes::kWidth];
    NeonLanes::store(part, NeonLanes::load_part(in + i, n - i));
    std::memcpy(out + i, part, (n - i) * sizeof(*out));
  }
}

void f32_to_f16(const float *in, uint16_t *out, size_t n) noexcept {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1_u16(out + i, to_halves(vld1q_f32(in + i)));
  if (i < n) {
    uint16_t part[NeonLanes::kWidth];
    vst1_u16(part, to_halves(NeonLanes::load_part(in + i, n - i)));
    std::memcpy(out + i, part, (n - i) * sizeof(*out));
  }
}

// ---- Codes with int8 queries ---------------------------------------------------------------
// Baseline NEON has no dot product of bytes: 16-bit products, added in pairs to 32 bits.

// acc + the 16 products of signed bytes; -128 * -128 = 2^14 fits.
int32x4_t add_products(int32x4_t acc, int8x16_t a, int8x16_t b) noexcept {
  acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
  return vpadalq_s16(acc, vmull_high_s8(a, b));
}

// A plane policy returns bytes 16 i .. 16 i + 15 of the digits of a block, as signed bytes.
struct PlaneU4 {
  static constexpr size_t kBytes = 32;
  static int8x16_t digits(const uint8_t *code, size_t i) noexcept {
    const uint8x16_t both = vld1q_u8(code + i % 2 * 16);
    return vreinterpretq_s8_u8(i < 2 ? vandq_u8(both, vdupq_n_u8(15)) : vshrq_n_u8(both, 4));
  }
};

struct PlaneU2 {
  static constexpr size_t kBytes = 16;
  static int8x16_t digits(const uint8_t *code, size_t i) noexcept {
    const int8x16_t shift = vdupq_n_s8(static_cast<int8_t>(-2 * static_cast<int>(i)));
    return vreinterpretq_s8_u8(vandq_u8(vshlq_u8(vld1q_u8(code), shift), vdupq_n_u8(3)));
  }
};

struct PlaneU1 {
  static constexpr size_t kBytes = 8;
  static int8x16_t digits(const uint8_t *code, size_t i) noexcept {
    static constexpr uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bytes = vcombine_u8(vdup_n_u8(code[2 * i]), vdup_n_u8(code[2 * i + 1]));
    return vreinterpretq_s8_u8(vshrq_n_u8(vtstq_u8(bytes, vld1q_u8(kBits)), 7));
  }
};

template <class Plane>
int32_t dot_plane(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t d = 0; d < dims; d += kCodeBlock, code += Plane::kBytes) {
    for (size_t i = 0; i < 4; i++) {
      acc[i] = add_products(acc[i], Plane::digits(code, i), vld1q_s8(query + d + 16 * i));
    }
  }
  return vaddvq_s32(vaddq_s32(vaddq_s32(acc[0], acc[1]), vaddq_s32(acc[2], acc[3])));
}

// Full bytes do not fit signed ones: 16-bit digits, 32-bit products.
int32_t dot_u8_i8(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (size_t d = 0; d < dims; d += 16) {
    const uint8x16_t digits = vld1q_u8(code + d);
    const int8x16_t values = vld1q_s8(query + d);
    const int16x8_t digits0 = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(digits)));
    const int16x8_t digits1 = vreinterpretq_s16_u16(vmovl_high_u8(digits));
    const int16x8_t values0 = vmovl_s8(vget_low_s8(values)), values1 = vmovl_high_s8(values);
    acc[0] = vmlal_s16(acc[0], vget_low_s16(digits0), vget_low_s16(values0));
    acc[1] = vmlal_high_s16(acc[1], digits0, values0);
    acc[2] = vmlal_s16(acc[2], vget_low_s16(digits1), vget_low_s16(values1));
    acc[3] = vmlal_high_s16(acc[3], digits1, values1);
  }
  return vaddvq_s32(vaddq_s32(vaddq_s32(acc[0], acc[1]), vaddq_s32(acc[2], acc[3])));
}

int32_t dot_i8(const int8_t *a, const int8_t *b, size_t dims) noexcept {
  int32x4_t acc0 = vdupq_n_s32(0), acc1 = acc0;
  for (size_t i = 0; i < dims; i += 32) {
    acc0 = add_products(acc0, vld1q_s8(a + i), vld1q_s8(b + i));
    acc1 = add_products(acc1, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
  }
  return vaddvq_s32(vaddq_s32(acc0, acc1));
}

// ---- Products of groups --------------------------------------------------------------------
// Packed form: [b_rows / 16][dims][16]: 16 rows of one dimension fill a register, against which one
// value of `a` is broadcast.

constexpr size_t kTileRows = 4;  // 16 accumulators, 2 + 1 operands of 32 registers

void pack_i8(const int8_t *b, size_t stride, size_t b_rows, size_t dims,
             int8_t *b_packed) noexcept {
  for (size_t first = 0; first < b_rows; first += kPackRows) {
    for (size_t k = 0; k < dims; k++) {
      for (size_t r = 0; r < kPackRows; r++) {
        *b_packed++ = first + r < b_rows ? b[(first + r) * stride + k] : int8_t{0};
      }
    }
  }
}

// Rows of a that form one tile; a ragged tile repeats its last row and does not store it again.
struct RowTile {
  const int8_t *rows[kTileRows];
  size_t count;
};

void product_tile(const RowTile &a, const int8_t *panel, size_t dims, int32_t *out,
                  size_t out_stride) noexcept {
  int32x4_t acc[kTileRows][4];
#pragma GCC unroll 4
  for (size_t r = 0; r < kTileRows; r++) {
    for (size_t q = 0; q < 4; q++) acc[r][q] = vdupq_n_s32(0);
  }
  for (size_t k = 0; k < dims; k++) {
    const int8x16_t b = vld1q_s8(panel + k * kPackRows);
    const int16x8_t b0 = vmovl_s8(vget_low_s8(b)), b1 = vmovl_high_s8(b);
    for (size_t r = 0; r < kTileRows; r++) {
      const int16_t value = a.rows[r][k];
      acc[r][0] = vmlal_n_s16(acc[r][0], vget_low_s16(b0), value);
      acc[r][1] = vmlal_high_n_s16(acc[r][1], b0, value);
      acc[r][2] = vmlal_n_s16(acc[r][2], vget_low_s16(b1), value);
      acc[r][3] = vmlal_high_n_s16(acc[r][3], b1, value);
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < kTileRows; r++) {
    if (r >= a.count) continue;
    for (size_t q = 0; q < 4; q++) vst1q_s32(out + r * out_stride + 4 * q, acc[r][q]);
  }
}

void products_i8(const int8_t *a, size_t stride, size_t a_rows, const int8_t *b_packed,
                 size_t b_rows, size_t dims, int32_t *out, size_t out_stride) noexcept {
  for (size_t i = 0; i < a_rows; i += kTileRows) {
    RowTile tile;
    tile.count = a_rows - i < kTileRows ? a_rows - i : kTileRows;
    for (size_t r = 0; r < kTileRows; r++) {
      tile.rows[r] = a + (i + (r < tile.count ? r : tile.count - 1)) * stride;
    }
    for (size_t first = 0; first < b_rows; first += kPackRows) {
      product_tile(tile, b_packed + first * dims, dims, out + i * out_stride + first, out_stride);
    }
  }
}

// ---- Table scan ----------------------------------------------------------------------------

// 16 neighbors: bytes of the same position gathered from 16 codes of eight bytes, then looked up;
// vaddw adds bytes to 16-bit sums. A neighbor gets at most 16 * 255 per block.
constexpr size_t kBlocksPerWidening = 16;

struct ByteColumns {
  uint8x16_t byte[8];

  // vld4 separates bytes by position modulo four while it loads; even and odd bytes of the result
  // are positions j and j + 4.
  explicit ByteColumns(const uint8_t *tiles) noexcept {
    const uint8x16x4_t first = vld4q_u8(tiles), second = vld4q_u8(tiles + 64);
    for (size_t j = 0; j < 4; j++) {
      byte[j] = vuzp1q_u8(first.val[j], second.val[j]);
      byte[j + 4] = vuzp2q_u8(first.val[j], second.val[j]);
    }
  }
};

struct NeighborSums {
  uint16x8_t low = vdupq_n_u16(0);
  uint16x8_t high = vdupq_n_u16(0);

  void add(uint8x16_t bytes) noexcept {
    low = vaddw_u8(low, vget_low_u8(bytes));
    high = vaddw_high_u8(high, bytes);
  }

  void add_block(const uint8_t *tiles, const uint8_t *table) noexcept {
    const ByteColumns codes(tiles);
    for (size_t p = 0; p < 8; p++) {
      const uint8_t *entries = table + p / 4 * 128 + p % 4 * 16;
      add(vqtbl1q_u8(vld1q_u8(entries), vandq_u8(codes.byte[p], vdupq_n_u8(15))));
      add(vqtbl1q_u8(vld1q_u8(entries + 64), vshrq_n_u8(codes.byte[p], 4)));
    }
  }

  void add_to(uint32_t *sums) const noexcept {
    vst1q_u32(sums, vaddw_u16(vld1q_u32(sums), vget_low_u16(low)));
    vst1q_u32(sums + 4, vaddw_high_u16(vld1q_u32(sums + 4), low));
    vst1q_u32(sums + 8, vaddw_u16(vld1q_u32(sums + 8), vget_low_u16(high)));
    vst1q_u32(sums + 12, vaddw_high_u16(vld1q_u32(sums + 12), high));
  }
};

void scan32(const uint8_t *tiles, const uint8_t *table, size_t dims, uint32_t *sums) noexcept {
  std::memset(sums, 0, kScanWidth * sizeof(*sums));
  for (size_t blocks = dims / kCodeBlock; blocks > 0;) {
    const size_t count = blocks < kBlocksPerWidening ? blocks : kBlocksPerWidening;
    NeighborSums first, second;
    for (size_t block = 0; block < count; block++, tiles += 256, table += 256) {
      first.add_block(tiles, table);
      second.add_block(tiles + 128, table);
    }
    first.add_to(sums);
    second.add_to(sums + 16);
    blocks -= count;
  }
}

// ---- Codes of residuals --------------------------------------------------------------------

struct NeonResidual {
  using Floats [[gnu::vector_size(16)]] = float;
  using Ints [[gnu::vector_size(16)]] = int32_t;
  static constexpr size_t kWidth = 4;

  static uint32_t signs(Ints x) noexcept {
    const int32x4_t lanes = {0, 1, 2, 3};
    return vaddvq_u32(vshlq_u32(vshrq_n_u32(vreinterpretq_u32_s32(x), 31), lanes));
  }
  // Not vmaxq and vminq, which return NaN.
  static Floats max(Floats x, Floats y) noexcept { return x > y ? x : y; }
  static Floats min(Floats x, Floats y) noexcept { return x < y ? x : y; }
  static Floats load_i8(const int8_t *p) noexcept {
    int32_t four;
    std::memcpy(&four, p, sizeof(four));
    const int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
  }
};

}  // namespace

constinit const Kernels kNeonKernels = {
    .name = "neon",
    .l2_squared_f32 = l2_squared<NeonLanes, float>,
    .dot_f32 = dot<NeonLanes, float>,
    .l1_f32 = l1<NeonLanes, float>,
    .dot_norms_f32 = dot_norms<NeonLanes, float>,
    .l2_squared_f16 = l2_squared<NeonLanes, uint16_t>,
    .dot_f16 = dot<NeonLanes, uint16_t>,
    .l1_f16 = l1<NeonLanes, uint16_t>,
    .dot_norms_f16 = dot_norms<NeonLanes, uint16_t>,
    .f16_to_f32 = f16_to_f32,
    .f32_to_f16 = f32_to_f16,
    .hadamard = hadamard<NeonLanes>,
    .dot_u8_i8 = dot_u8_i8,
    .dot_u4_i8 = dot_plane<PlaneU4>,
    .dot_u2_i8 = dot_plane<PlaneU2>,
    .dot_u1_i8 = dot_plane<PlaneU1>,
    .dot_i8 = dot_i8,
    .pack_i8 = pack_i8,
    .products_i8 = products_i8,
    .scan32 = scan32,
    .lookup32 = lookup32<NeonResidual>,
    .bound32 = bound32<NeonResidual>,
    .subset_sums = subset_sums<NeonLanes>,
    .decode_i8 = decode_i8<NeonResidual>,
    .residual_squared = residual_squared<NeonResidual>,
    .encode_residual_u1 = encode_residual<NeonResidual, 1>,
    .encode_residual_u2 = encode_residual<NeonResidual, 2>,
};

}  // namespace vann::simd

#endif

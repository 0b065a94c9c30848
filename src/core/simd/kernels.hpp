// kernels.hpp — the table of SIMD kernels, filled once for the CPU the process runs on.
// Every kernel exists for baseline x86-64 (or any other CPU), AVX2+FMA+F16C, AVX-512 and NEON;
// `kernels()` returns the best table that the CPU supports. See README.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vann::simd {

// Dimensions of codes and of int8 vectors are padded to this many; the padding is zero.
inline constexpr size_t kCodeBlock = 64;
// Neighbor codes are scanned for this many neighbors at once.
inline constexpr size_t kScanWidth = 32;
// Fractional bits of subset_sums()' values: 255 << 7 fits int16.
inline constexpr uint32_t kSubsetFraction = 7;
// pack_i8() groups this many vectors.
inline constexpr size_t kPackRows = 16;

// Bytes that pack_i8() writes; no alignment is required.
constexpr size_t packed_i8_bytes(size_t b_rows, size_t dims) noexcept {
  return (b_rows + kPackRows - 1) / kPackRows * kPackRows * dims;
}

// Dot product of two vectors and their squared norms: all that the cosine needs, in one pass.
struct DotNorms {
  float dot;
  float a_squared;
  float b_squared;
};

// Sums over residual r = unit * (o - c) of neighbor o and parent c, p = unit * c and levels s.
// <r, r> and <r, p> cover all dimensions, <s, r> and <s, p> the coded ones.
struct ResidualSums {
  float squared;          // <r, r>
  float level_residual;   // <s, r>
  float level_parent;     // <s, p>
  float residual_parent;  // <r, p>
};

// What one query says of the rows of a list, whose sums bound32() turns into distances.
struct BoundTerms {
  float base;        // distance from the query to the rows' anchor
  float length;      // |q - anchor|
  float gain;        // <s, q> ~ gain * sum + shift
  float shift;
  float rounding;    // standard deviation of that, by rounding alone
  float deviations;  // of an estimate's error, that its lower bound lies below it
  float limit;       // for lower bounds
};

struct Kernels {
  const char *name;  // "generic", "avx2", "avx512", "avx512vbmi", "neon"

  // Distances between full-precision vectors of `n` elements; no alignment is required, inputs
  // of any length are read exactly. f16 inputs are IEEE half-precision bit patterns and are
  // accumulated in float. Results may overflow to infinity; they are NaN only for NaN input
  // or for (inf - inf).
  float (*l2_squared_f32)(const float *a, const float *b, size_t n) noexcept;
  float (*dot_f32)(const float *a, const float *b, size_t n) noexcept;
  float (*l1_f32)(const float *a, const float *b, size_t n) noexcept;
  DotNorms (*dot_norms_f32)(const float *a, const float *b, size_t n) noexcept;
  float (*l2_squared_f16)(const uint16_t *a, const uint16_t *b, size_t n) noexcept;
  float (*dot_f16)(const uint16_t *a, const uint16_t *b, size_t n) noexcept;
  float (*l1_f16)(const uint16_t *a, const uint16_t *b, size_t n) noexcept;
  DotNorms (*dot_norms_f16)(const uint16_t *a, const uint16_t *b, size_t n) noexcept;

  // Conversions, round to nearest even; a float beyond the half range becomes infinity.
  void (*f16_to_f32)(const uint16_t *in, float *out, size_t n) noexcept;
  void (*f32_to_f16)(const float *in, uint16_t *out, size_t n) noexcept;

  // One normalized Walsh-Hadamard transform in place; `n` is a power of two >= 1. The result has
  // the same bits on every CPU (fixed association order, no fused multiply-add): codes stored
  // by one machine are compared with codes computed by another.
  void (*hadamard)(float *x, size_t n) noexcept;

  // Dot products of an unsigned code with an int8 query; `dims` is a multiple of kCodeBlock.
  // Planes (see quantize/README.md) pack, for each block of 64 dimensions:
  //   u8: 64 bytes, one per dimension
  //   u4: 32 bytes, byte i = dimension i (low nibble) and dimension i + 32 (high nibble)
  //   u2: 16 bytes, byte i = dimensions i, i + 16, i + 32, i + 48 from the low bits up
  //   u1:  8 bytes, little-endian bit i = dimension i
  int32_t (*dot_u8_i8)(const uint8_t *code, const int8_t *query, size_t dims) noexcept;
  int32_t (*dot_u4_i8)(const uint8_t *code, const int8_t *query, size_t dims) noexcept;
  int32_t (*dot_u2_i8)(const uint8_t *code, const int8_t *query, size_t dims) noexcept;
  int32_t (*dot_u1_i8)(const uint8_t *code, const int8_t *query, size_t dims) noexcept;

  // Dot product of two int8 vectors; `dims` is a multiple of kCodeBlock.
  int32_t (*dot_i8)(const int8_t *a, const int8_t *b, size_t dims) noexcept;

  // All dot products between two groups of int8 vectors: the leaf product of bulk builds.
  //   a        [a_rows][stride], int8
  //   b_packed pack_i8() of b by the same table: packed_i8_bytes(b_rows, dims) bytes whose order
  //            and bias are the table's own
  //   out      [a_rows][out_stride] int32, out[i][j] = <a_i, b_j>; columns up to b_rows rounded
  //            up to 16 are written
  // `dims` is a multiple of kCodeBlock.
  void (*pack_i8)(const int8_t *b, size_t stride, size_t b_rows, size_t dims,
                  int8_t *b_packed) noexcept;
  void (*products_i8)(const int8_t *a, size_t stride, size_t a_rows, const int8_t *b_packed,
                      size_t b_rows, size_t dims, int32_t *out, size_t out_stride) noexcept;

  // Table scan of 32 one-bit codes at once (the fast-scan idea of Andre et al. 2015 on RaBitQ
  // bits).
  //   tiles  [dims / 64][32][8] bytes: for each 64 dimensions the 8 code bytes of neighbor 0, 1,
  //          ...; bit k of byte j is dimension 8 j + k of the block
  //   table  [dims / 64][2][2][4][16] bytes: for block g, half h, nibble n, j: the value of the 16
  //          subsets of dimensions 64 g + 8 (4 h + j) + 4 n + {0..3}, low bit = lowest dimension
  //   sums   [32]: the sum over all groups of four dimensions of table[...][nibble]; dims <= 16384
  void (*scan32)(const uint8_t *tiles, const uint8_t *table, size_t dims,
                 uint32_t *sums) noexcept;

  // Table scan of 32 codes of one byte per subvector.
  //   codes  [subvectors][32], table [subvectors][256]
  //   sums   [32]: the sum over all subvectors i of table[i][codes[i][row]]
  void (*lookup32)(const uint8_t *codes, const uint8_t *table, size_t subvectors,
                   uint32_t *sums) noexcept;

  // Sums of 32 rows as distances, with their errors. Row i of 32, bfloat16 patterns as floats:
  //   estimates[i]  base + offsets[i] - scales[i] * (gain * sums[i] + shift), cut to +-FLT_MAX
  //   deviations[i] of a = errors[i] * length and b = scales[i] * rounding the largest of a, b and
  //                 3/4 (a + b), which is within 6 % of the root of their squares and does not
  //                 overflow; cut to FLT_MAX
  // Returns a mask: bit i is estimates[i] - terms.deviations * deviations[i] < limit. sums[i] is
  // below 2^31. The bits are the same on every CPU.
  uint32_t (*bound32)(const uint32_t *sums, const uint16_t *scales, const uint16_t *offsets,
                      const uint16_t *errors, const BoundTerms &terms, float *estimates,
                      float *deviations) noexcept;

  // scan32's table: for each four of `n` fixed-point values the sixteen sums of their subsets above the
  // least of them, rounded to integers, in scan32's order. `n` is a multiple of kCodeBlock; the sum
  // of four magnitudes is at most 255 << kSubsetFraction.
  void (*subset_sums)(const int16_t *values, size_t n, uint8_t *table) noexcept;

  // Codes of residuals (quantize/neighbor_code.hpp). Like hadamard(), these have the same bits on
  // every CPU, except for the signs and payloads of NaN.
  //   decode_i8         out[i] = delta * (values[i] + 0.5), i < n; the arrays do not overlap
  //   residual_squared  <r, r> over n dimensions, a multiple of 8
  //   encode_residual_u1, _u2   c, o: [dims]; the digits of the first `coded_dims`, a multiple of
  //            kCodeBlock and at most `dims`, to one or two planes of u1, high plane first, each
  //            coded_dims / 8 bytes. A digit of one bit is r >= 0, with level digit - 1/2; of two
  //            bits r * inverse + 2 clamped to [0, 3] and truncated, with level digit - 3/2. The
  //            1-bit code has no need of `inverse`.
  void (*decode_i8)(const int8_t *values, float delta, size_t n, float *out) noexcept;
  float (*residual_squared)(const float *c, const float *o, size_t n, float unit) noexcept;
  ResidualSums (*encode_residual_u1)(const float *c, const float *o, size_t dims, size_t coded_dims,
                                     float unit, float inverse, uint8_t *code) noexcept;
  ResidualSums (*encode_residual_u2)(const float *c, const float *o, size_t dims, size_t coded_dims,
                                     float unit, float inverse, uint8_t *code) noexcept;
};

// The tables compiled into this binary that the CPU supports, best first; always at least one
// (generic). For tests and benchmarks.
struct KernelList {
  const Kernels *const *tables;
  size_t count;
};
KernelList supported_kernels() noexcept;

// The best supported table. Resolved on the first call; thread-safe.
const Kernels &kernels() noexcept;

}  // namespace vann::simd

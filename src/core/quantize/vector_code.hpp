// vector_code.hpp — the multi-bit code of one rotated, centred vector (extended RaBitQ, Gao et al.
// 2024, with a fixed clipping range instead of the per-vector search; see README.md).
//
// A code of b bits per dimension has digits w in [0, 2^b - 1]; its levels are s = w - (2^b - 1) / 2
// and the decoded vector is c = delta * s, delta being the least-squares scale. b = 8 is the
// working form of builds and inserts ("byte code"); b = 4..8 is what an element stores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/simd/kernels.hpp"

namespace vann::quantize {

inline constexpr uint32_t kMinCodeBits = 4;
inline constexpr uint32_t kMaxCodeBits = 8;

// What an element stores beside the digits of its code.
struct CodeFactors {
  float norm_squared;  // |x|^2 of the rotated, centred vector that was encoded
  float delta;         // decoded vector = delta * s
  float cosine;        // cos(x, s): how faithful the code is; 0 when the vector is zero
};
static_assert(sizeof(CodeFactors) == 12);

// Dimensions padded to the kernels' block; padding digits never contribute to any result.
constexpr size_t padded_dims(size_t dims) noexcept {
  return (dims + simd::kCodeBlock - 1) / simd::kCodeBlock * simd::kCodeBlock;
}

// ---- Byte code: the working form -----------------------------------------------------------
// digit - 128 as int8 (so level s = value + 0.5), padded_dims(dims) values, padding 0.

struct ByteCode {
  CodeFactors factors;
  int32_t sum;  // sum of the int8 values over the real dimensions
};

// Encodes x[0..dims); writes padded_dims(dims) values. A zero vector gets delta 0.
ByteCode encode_bytes(const float *x, size_t dims, int8_t *values) noexcept;

// Decoded vector, out[0..dims).
void decode_bytes(const int8_t *values, const CodeFactors &factors, size_t dims,
                  float *out) noexcept;

// <c_a, c_b> of two decoded byte codes, from dot_i8 of their values: exact up to float rounding.
// sum(s_a s_b) = dot + (sum_a + sum_b) / 2 + dims / 4.
inline float decoded_dot(int32_t dot, const ByteCode &a, const ByteCode &b, size_t dims) noexcept {
  const float levels = static_cast<float>(dot) + 0.5f * static_cast<float>(a.sum + b.sum) +
                       0.25f * static_cast<float>(dims);
  return a.factors.delta * b.factors.delta * levels;
}

// Squared norm of the decoded vector: |x|^2 cos^2 (delta is the least-squares scale).
inline float decoded_norm_squared(const CodeFactors &factors) noexcept {
  return factors.norm_squared * factors.cosine * factors.cosine;
}

// ---- Stored code: 4 to 8 bits in planes ----------------------------------------------------
// The digits are split into planes of 8, 4, 2 and 1 bits, most significant first: 8 -> [8],
// 7 -> [4,2,1], 6 -> [4,2], 5 -> [4,1], 4 -> [4]. Each plane is packed as kernels.hpp says.

// Bytes of a stored code.
constexpr size_t code_bytes(size_t dims, uint32_t bits) noexcept {
  return padded_dims(dims) * bits / 8;
}

// Re-encodes a byte code at `bits`: the stored code is a function of the byte code alone, so
// build, insert and the integrity check agree bit by bit. Writes code_bytes(dims, bits) bytes.
CodeFactors encode_planes(const int8_t *values, const ByteCode &code, size_t dims, uint32_t bits,
                          uint8_t *planes) noexcept;

// Decoded vector of a stored code, out[0..dims).
void decode_planes(const uint8_t *planes, const CodeFactors &factors, size_t dims, uint32_t bits,
                   float *out) noexcept;

// A stored code as a byte code (for distances between elements read from pages). The decoded
// vector of the result equals that of the stored code up to byte-code rounding; factors.cosine and
// norm_squared describe the decoded vector itself (cosine near 1).
ByteCode planes_to_bytes(const uint8_t *planes, const CodeFactors &factors, size_t dims,
                         uint32_t bits, float *scratch, int8_t *values) noexcept;

}  // namespace vann::quantize

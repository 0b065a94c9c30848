// vector_code.cpp — byte codes and stored codes of one vector.
// Everything that ends up in a code or its factors is summed in lanes.hpp's fixed order or in
// integers: machines that share an index compute the same bits. See README.md, "Vector codes".
#include "core/quantize/vector_code.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/quantize/lanes.hpp"
#include "core/quantize/planes.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::quantize {
namespace {

// Below this largest magnitude a vector counts as zero: the squares of its values vanish in float.
constexpr float kSmallestMagnitude = 0x1p-100f;

// Clipping range of a stored code in units of the root mean square, by bits per dimension: the
// range with the least measured angular error for Gaussian coordinates. From 6 bits on that is the
// byte code's own range, whose grid the stored code then shares (README.md, "Clipping range").
constexpr double kUnclipped = std::numeric_limits<double>::infinity();
constexpr double kClipRange[kMaxCodeBits + 1] = {0.0, 0.0,        0.0,        0.0,       2.7,
                                                 3.1, kUnclipped, kUnclipped, kUnclipped};

struct ByteSums {
  float level_product;  // <t, s> of scaled values t and levels s
  float squared;        // <t, t>
};

// Narrows n digits; a loop of its own, because compilers pack it well.
template <class Byte>
void narrow(const int32_t *digits, size_t n, int32_t bias, Byte *bytes) noexcept {
  for (size_t j = 0; j < n; ++j) {
    bytes[j] = static_cast<Byte>(digits[j] - bias);
  }
}

// The largest magnitude is scaled to this, a little below 128, so that adding 128 and truncating
// (a floor, which SSE2 lacks) yields a digit from 0 to 255 without a second clamp.
constexpr float kByteRange = 127.999f;

// Writes the values of up to 64 dimensions; only infinities and NaN need the clamp.
void encode_block(const float *x, size_t n, float inverse, int8_t *values, LaneSum *level_products,
                  LaneSum *squares) noexcept {
  int32_t digits[simd::kCodeBlock];
  for_each_four(x, n, [&](Float4 four, size_t half, size_t i) {
    const Float4 t = clamped(four * splat(inverse), -kByteRange, kByteRange);
    const Int4 digit = truncated(t + splat(128.0f));
    std::memcpy(digits + i, &digit, sizeof digit);
    level_products->add(half, t * (to_float(digit) - splat(127.5f)));
    squares->add(half, t * t);
  });
  narrow(digits, n, 128, values);
}

ByteSums encode_scaled(const float *x, size_t dims, float inverse, int8_t *values) noexcept {
  LaneSum level_products;
  LaneSum squares;
  for (size_t i = 0; i < dims; i += simd::kCodeBlock) {
    encode_block(x + i, std::min(simd::kCodeBlock, dims - i), inverse, values + i, &level_products,
                 &squares);
  }
  std::memset(values + dims, 0, padded_dims(dims) - dims);
  return {level_products.total(), squares.total()};
}

struct IntegerSums {
  int32_t values;
  int32_t squares;
};

// Padding values are zero: they add nothing.
IntegerSums integer_sums(const int8_t *values, size_t dims) noexcept {
  int32_t sum = 0;
  for (size_t i = 0; i < dims; ++i) {
    sum += values[i];
  }
  return {sum, simd::kernels().dot_i8(values, values, padded_dims(dims))};
}

// <s, s> of a byte code's levels s = value + 1/2: exact.
double byte_levels_squared(const IntegerSums &sums, size_t dims) noexcept {
  return sums.squares + sums.values + 0.25 * static_cast<double>(dims);
}

// A scale whose product with the largest level is finite.
float finite_delta(double delta, double largest_level) noexcept {
  return to_finite(std::min(delta, static_cast<double>(kFloatMax) / largest_level));
}

}  // namespace

ByteCode encode_bytes(const float *x, size_t dims, int8_t *values) noexcept {
  const float largest = largest_magnitude(x, dims);
  if (largest < kSmallestMagnitude) {
    std::memset(values, 0, padded_dims(dims));
    return {{0.0f, 0.0f, 0.0f}, 0};
  }
  const ByteSums sums = encode_scaled(x, dims, kByteRange / largest, values);
  const IntegerSums integers = integer_sums(values, dims);

  const double unit = static_cast<double>(largest) / static_cast<double>(kByteRange);
  const double product = sums.level_product;
  const double squared = sums.squared;
  const double levels_squared = byte_levels_squared(integers, dims);
  ByteCode code;
  code.factors.norm_squared = to_finite(squared * unit * unit);
  code.factors.delta = finite_delta(product / levels_squared * unit, 128.0);
  code.factors.cosine = to_finite(std::min(product / std::sqrt(squared * levels_squared), 1.0));
  code.sum = integers.values;
  return code;
}

void decode_bytes(const int8_t *values, const CodeFactors &factors, size_t dims,
                  float *out) noexcept {
  simd::kernels().decode_i8(values, factors.delta, dims, out);
}

namespace {

// ---- Planes -----------------------------------------------------------------------------------

void pack_block(const DigitBlock &digits, size_t block, size_t dims, uint32_t bits,
                uint8_t *planes) noexcept {
  for_each_plane(padded_dims(dims), bits, [&](auto width, uint32_t shift, size_t offset) {
    pack_plane<width>(digits, shift, planes + offset + block * 8 * width);
  });
}

void unpack_block(const uint8_t *planes, size_t block, size_t dims, uint32_t bits,
                  DigitBlock &digits) noexcept {
  std::memset(digits, 0, sizeof digits);
  for_each_plane(padded_dims(dims), bits, [&](auto width, uint32_t shift, size_t offset) {
    unpack_plane<width>(planes + offset + block * 8 * width, shift, digits);
  });
}

// ---- Re-encoding ------------------------------------------------------------------------------

// Digit of a byte value v: floor(v * gain + shift), kept in [0, top].
struct DigitMap {
  float gain;
  float shift;
  float top;
};

// The range of a stored code, in units of the byte code's levels, is a multiple of their root mean
// square, but never beyond the byte code's own range of 128.
DigitMap digit_map(double levels_squared, size_t dims, uint32_t bits) noexcept {
  const double rms = std::sqrt(levels_squared / static_cast<double>(dims));
  const double range = std::min(kClipRange[bits] * rms, 128.0);
  const double half = static_cast<double>(uint32_t{1} << (bits - 1));
  const double gain = half / range;
  return {static_cast<float>(gain), static_cast<float>(half + 0.5 * gain),
          static_cast<float>(2.0 * half - 0.5)};
}

struct DigitSums {
  int32_t digits;    // sum(w)
  int32_t squares;   // sum(w w)
  int32_t products;  // sum(v w)
};

// Digits of up to 64 byte values; the rest of the block gets digit 0.
void map_block(const int8_t *values, size_t n, const DigitMap &map, DigitBlock &digits,
               DigitSums *sums) noexcept {
  float levels[simd::kCodeBlock];
  int32_t wide[simd::kCodeBlock];
  for (size_t j = 0; j < simd::kCodeBlock; ++j) {
    levels[j] = static_cast<float>(values[j]);
  }
  for_each_four(levels, simd::kCodeBlock, [&](Float4 four, size_t, size_t i) {
    const Float4 t = four * splat(map.gain) + splat(map.shift);
    const Int4 digit = truncated(clamped(t, 0.0f, map.top));
    std::memcpy(wide + i, &digit, sizeof digit);
  });
  narrow(wide, simd::kCodeBlock, 0, digits);
  std::memset(digits + n, 0, simd::kCodeBlock - n);
  for (size_t j = 0; j < simd::kCodeBlock; ++j) {
    const int16_t digit = digits[j];
    const int16_t value = values[j];
    sums->digits += digit;
    sums->squares += digit * digit;
    sums->products += digit * value;
  }
}

}  // namespace

CodeFactors encode_planes(const int8_t *values, const ByteCode &code, size_t dims, uint32_t bits,
                          uint8_t *planes) noexcept {
  const IntegerSums integers = integer_sums(values, dims);
  const double byte_squared = byte_levels_squared(integers, dims);
  const DigitMap map = digit_map(byte_squared, dims, bits);
  DigitSums sums = {0, 0, 0};
  for (size_t i = 0; i < dims; i += simd::kCodeBlock) {
    DigitBlock digits;
    map_block(values + i, std::min(simd::kCodeBlock, dims - i), map, digits, &sums);
    pack_block(digits, i / simd::kCodeBlock, dims, bits, planes);
  }
  // Levels: a = v + 1/2 of the byte code, s = w - h of the stored code.
  const double n = static_cast<double>(dims);
  const double h = 0.5 * static_cast<double>((uint32_t{1} << bits) - 1);
  const double product = sums.products - h * integers.values + 0.5 * sums.digits - 0.5 * h * n;
  const double squared = sums.squares - 2.0 * h * sums.digits + h * h * n;
  CodeFactors factors;
  factors.norm_squared = code.factors.norm_squared;
  factors.delta = finite_delta(code.factors.delta * (product / squared), h + 0.5);
  factors.cosine =
      to_finite(code.factors.cosine * std::min(product / std::sqrt(squared * byte_squared), 1.0));
  return factors;
}

void decode_planes(const uint8_t *planes, const CodeFactors &factors, size_t dims, uint32_t bits,
                   float *out) noexcept {
  const float delta = factors.delta;
  const float h = 0.5f * static_cast<float>((uint32_t{1} << bits) - 1);
  for (size_t i = 0; i < dims; i += simd::kCodeBlock) {
    DigitBlock digits;
    unpack_block(planes, i / simd::kCodeBlock, dims, bits, digits);
    const size_t n = std::min(simd::kCodeBlock, dims - i);
    for (size_t j = 0; j < n; ++j) {
      out[i + j] = delta * (static_cast<float>(digits[j]) - h);
    }
  }
}

ByteCode planes_to_bytes(const uint8_t *planes, const CodeFactors &factors, size_t dims,
                         uint32_t bits, float *scratch, int8_t *values) noexcept {
  decode_planes(planes, factors, dims, bits, scratch);
  return encode_bytes(scratch, dims, values);
}

}  // namespace vann::quantize

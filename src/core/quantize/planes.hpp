// planes.hpp — bits of 64 digits to and from planes, in the packing that kernels.hpp defines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/simd/kernels.hpp"

namespace vann::quantize {

using DigitBlock = uint8_t[simd::kCodeBlock];  // the digits of 64 dimensions

// Little-endian load and store; compilers make one instruction of them.
inline uint64_t load_le64(const uint8_t *bytes) noexcept {
  uint64_t value = 0;
  for (size_t k = 0; k < 8; ++k) {
    value |= uint64_t{bytes[k]} << (8 * k);
  }
  return value;
}

inline void store_le64(uint64_t value, uint8_t *bytes) noexcept {
  for (size_t k = 0; k < 8; ++k) {
    bytes[k] = static_cast<uint8_t>(value >> (8 * k));
  }
}

// One bit of each digit, the one at `shift`; 8 bytes. The product moves bit 8k to bit 56 + k.
inline void pack_bits(const DigitBlock &digits, uint32_t shift, uint8_t *plane) noexcept {
  for (size_t i = 0; i < 8; ++i) {
    const uint64_t ones = (load_le64(digits + 8 * i) >> shift) & 0x0101010101010101u;
    plane[i] = static_cast<uint8_t>((ones * 0x0102040810204080u) >> 56);
  }
}

inline void unpack_bits(const uint8_t *plane, uint32_t shift, DigitBlock &digits) noexcept {
  for (size_t i = 0; i < 8; ++i) {
    // Byte k keeps bit k of the plane's byte; adding 0x7f carries it, wherever it is, to bit 7.
    const uint64_t own = (plane[i] * uint64_t{0x0101010101010101u}) & 0x8040201008040201u;
    const uint64_t ones = ((own + 0x7f7f7f7f7f7f7f7fu) >> 7) & 0x0101010101010101u;
    store_le64(load_le64(digits + 8 * i) | ones << shift, digits + 8 * i);
  }
}

// The `width` bits of each digit that start at bit `shift`; 8 * width bytes. Item k of byte i is
// dimension k * 8 * width + i.
template <uint32_t width>
void pack_plane(const DigitBlock &digits, uint32_t shift, uint8_t *plane) noexcept {
  constexpr size_t kBytes = 8 * width;
  constexpr uint8_t kMask = (1u << width) - 1;
  if constexpr (width == 1) {
    pack_bits(digits, shift, plane);
  } else {
    uint8_t bytes[kBytes] = {};  // a copy that cannot alias the digits, or the loops stay scalar
    for (size_t k = 0; k < 8 / width; ++k) {
      for (size_t i = 0; i < kBytes; ++i) {
        const uint32_t item = static_cast<uint32_t>(digits[k * kBytes + i] >> shift) & kMask;
        bytes[i] = static_cast<uint8_t>(bytes[i] | item << (k * width));
      }
    }
    std::memcpy(plane, bytes, kBytes);
  }
}

// Adds one plane's bits to the digits.
template <uint32_t width>
void unpack_plane(const uint8_t *plane, uint32_t shift, DigitBlock &digits) noexcept {
  constexpr size_t kBytes = 8 * width;
  constexpr uint8_t kMask = (1u << width) - 1;
  if constexpr (width == 1) {
    unpack_bits(plane, shift, digits);
  } else {
    uint8_t bytes[kBytes];  // a copy that cannot alias the digits, or the loops stay scalar
    std::memcpy(bytes, plane, kBytes);
    for (size_t k = 0; k < 8 / width; ++k) {
      for (size_t i = 0; i < kBytes; ++i) {
        const uint32_t item = static_cast<uint32_t>(bytes[i] >> (k * width)) & kMask;
        digits[k * kBytes + i] = static_cast<uint8_t>(digits[k * kBytes + i] | item << shift);
      }
    }
  }
}

// Calls visit(width as a std::integral_constant, shift, offset of the plane) for each plane of a
// code of `bits` bits over `dims` padded dimensions, most significant first: the planes' widths are
// the binary digits of `bits`.
template <class Visit>
void for_each_plane(size_t dims, uint32_t bits, Visit visit) noexcept {
  size_t offset = 0;
  const auto plane = [&]<uint32_t width>(std::integral_constant<uint32_t, width> constant) {
    if ((bits & width) != 0) {
      visit(constant, bits & (width - 1), offset);
      offset += dims * width / 8;
    }
  };
  plane(std::integral_constant<uint32_t, 8>{});
  plane(std::integral_constant<uint32_t, 4>{});
  plane(std::integral_constant<uint32_t, 2>{});
  plane(std::integral_constant<uint32_t, 1>{});
}

}  // namespace vann::quantize

// kernels_generic.cpp — the table that every CPU can run: compiler vectors of four floats, which
// become SSE2 on x86-64, and integer loops that the compiler vectorizes by itself.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "core/base/half.hpp"
#include "core/simd/kernels_impl.hpp"
#include "core/simd/list_impl.hpp"
#include "core/simd/residual_impl.hpp"
#include "core/simd/tables.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::simd {
namespace {

// ---- Float kernels -------------------------------------------------------------------------

struct GenericLanes {
  typedef float Batch __attribute__((vector_size(16)));
  typedef int32_t Bits __attribute__((vector_size(16)));
  static constexpr size_t kWidth = 4;

  static Batch zero() noexcept { return Batch{}; }
  static Batch broadcast(float x) noexcept { return Batch{x, x, x, x}; }
  static Batch load(const float *p) noexcept {
    Batch x;
    std::memcpy(&x, p, sizeof(x));
    return x;
  }
  // Moves exponent and fraction into place; the product corrects the exponent's bias and also
  // normalizes subnormals, exactly. Only infinity and NaN need their exponent set.
  static Batch load(const uint16_t *p) noexcept {
    const Bits half = {p[0], p[1], p[2], p[3]};
    const Bits magnitude = (half & 0x7fff) << 13;
    const Bits special = (magnitude >= (0x7c00 << 13)) & 0x7f800000;
    const auto value = std::bit_cast<Bits>(std::bit_cast<Batch>(magnitude) * 0x1p112f);
    return std::bit_cast<Batch>(value | special | ((half & 0x8000) << 16));
  }
  static float at(const float *p, size_t i) noexcept { return p[i]; }
  static float at(const uint16_t *p, size_t i) noexcept { return from_half(p[i]); }
  template <class Element>
  static Batch load_part(const Element *p, size_t n) noexcept {
    return Batch{at(p, 0), n > 1 ? at(p, 1) : 0.0f, n > 2 ? at(p, 2) : 0.0f, 0.0f};
  }
  static void store(float *p, Batch x) noexcept { std::memcpy(p, &x, sizeof(x)); }
  static Batch fma(Batch a, Batch b, Batch c) noexcept { return a * b + c; }
  static Batch abs(Batch x) noexcept {
    return std::bit_cast<Batch>(std::bit_cast<Bits>(x) & 0x7fffffff);
  }
  static float sum(Batch x) noexcept { return (x[0] + x[2]) + (x[1] + x[3]); }
  template <size_t h>
  static Batch exchange(Batch x) noexcept {
    return __builtin_shufflevector(x, x, 0 ^ h, 1 ^ h, 2 ^ h, 3 ^ h);
  }
};

void f16_to_f32(const uint16_t *in, float *out, size_t n) noexcept {
  for (size_t i = 0; i < n; i++) out[i] = from_half(in[i]);
}

void f32_to_f16(const float *in, uint16_t *out, size_t n) noexcept {
  for (size_t i = 0; i < n; i++) out[i] = to_half(in[i]);
}

// ---- Codes with int8 queries ---------------------------------------------------------------

int32_t dot_u8_i8(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  int32_t sum = 0;
  for (size_t i = 0; i < dims; i++) sum += int32_t{code[i]} * query[i];
  return sum;
}

// Planes of kBits bits: byte i of a block holds dimensions i, i + kStride, i + 2 kStride ...
template <size_t kBits>
int32_t dot_plane(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  constexpr size_t kStride = kCodeBlock * kBits / 8;
  int32_t sum = 0;
  for (size_t block = 0; block < dims; block += kCodeBlock) {
    for (size_t part = 0; part < 8 / kBits; part++) {
      for (size_t i = 0; i < kStride; i++) {
        const int32_t digit = (code[i] >> (part * kBits)) & ((1 << kBits) - 1);
        sum += digit * query[part * kStride + i];
      }
    }
    code += kStride;
    query += kCodeBlock;
  }
  return sum;
}

int32_t dot_u1_i8(const uint8_t *code, const int8_t *query, size_t dims) noexcept {
  int32_t sum = 0;
  for (size_t i = 0; i < dims; i++) sum += ((code[i / 8] >> (i % 8)) & 1) * query[i];
  return sum;
}

int32_t dot_i8(const int8_t *a, const int8_t *b, size_t dims) noexcept {
  int32_t sum = 0;
  for (size_t i = 0; i < dims; i++) sum += int32_t{a[i]} * b[i];
  return sum;
}

// ---- Products of groups --------------------------------------------------------------------
// Packed form: [b_rows / 16][dims][16], so that the inner loop runs over 16 adjacent bytes.

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

void products_i8(const int8_t *a, size_t stride, size_t a_rows, const int8_t *b_packed,
                 size_t b_rows, size_t dims, int32_t *out, size_t out_stride) noexcept {
  for (size_t i = 0; i < a_rows; i++) {
    for (size_t first = 0; first < b_rows; first += kPackRows) {
      const int8_t *panel = b_packed + first * dims;
      int32_t sums[kPackRows] = {};
      for (size_t k = 0; k < dims; k++) {
        const int16_t value = a[i * stride + k];
        for (size_t r = 0; r < kPackRows; r++) {
          sums[r] += static_cast<int16_t>(value * panel[k * kPackRows + r]);
        }
      }
      std::memcpy(out + i * out_stride + first, sums, sizeof(sums));
    }
  }
}

// ---- Table scan ----------------------------------------------------------------------------

void scan32(const uint8_t *tiles, const uint8_t *table, size_t dims, uint32_t *sums) noexcept {
  std::memset(sums, 0, kScanWidth * sizeof(*sums));
  for (size_t block = 0; block < dims / kCodeBlock; block++) {
    for (size_t slot = 0; slot < kScanWidth; slot++) {
      uint32_t sum = 0;
      for (size_t byte = 0; byte < 8; byte++) {
        const uint8_t *low = table + (byte / 4) * 128 + (byte % 4) * 16;
        const uint8_t *high = low + 64;
        sum += uint32_t{low[tiles[byte] & 15]} + high[tiles[byte] >> 4];
      }
      sums[slot] += sum;
      tiles += 8;
    }
    table += 256;
  }
}

// ---- Codes of residuals --------------------------------------------------------------------

struct GenericResidual {
  using Floats = GenericLanes::Batch;
  using Ints = GenericLanes::Bits;
  static constexpr size_t kWidth = 4;

  static uint32_t signs(Ints x) noexcept {
#if defined(__SSE__)
    return static_cast<uint32_t>(_mm_movemask_ps(std::bit_cast<__m128>(x)));
#else
    const Ints own = (x >> 31) & Ints{1, 2, 4, 8};
    return static_cast<uint32_t>((own[0] | own[2]) | (own[1] | own[3]));
#endif
  }
  static Floats max(Floats x, Floats y) noexcept { return x > y ? x : y; }
  static Floats min(Floats x, Floats y) noexcept { return x < y ? x : y; }
};

void decode_i8(const int8_t *values, float delta, size_t n, float *out) noexcept {
  for (size_t i = 0; i < n; i++) out[i] = delta * (static_cast<float>(values[i]) + 0.5f);
}

}  // namespace

constinit const Kernels kGenericKernels = {
    .name = "generic",
    .l2_squared_f32 = l2_squared<GenericLanes, float>,
    .dot_f32 = dot<GenericLanes, float>,
    .l1_f32 = l1<GenericLanes, float>,
    .dot_norms_f32 = dot_norms<GenericLanes, float>,
    .l2_squared_f16 = l2_squared<GenericLanes, uint16_t>,
    .dot_f16 = dot<GenericLanes, uint16_t>,
    .l1_f16 = l1<GenericLanes, uint16_t>,
    .dot_norms_f16 = dot_norms<GenericLanes, uint16_t>,
    .f16_to_f32 = f16_to_f32,
    .f32_to_f16 = f32_to_f16,
    .hadamard = hadamard<GenericLanes>,
    .dot_u8_i8 = dot_u8_i8,
    .dot_u4_i8 = dot_plane<4>,
    .dot_u2_i8 = dot_plane<2>,
    .dot_u1_i8 = dot_u1_i8,
    .dot_i8 = dot_i8,
    .pack_i8 = pack_i8,
    .products_i8 = products_i8,
    .scan32 = scan32,
    .lookup32 = lookup32<GenericResidual>,
    .bound32 = bound32<GenericResidual>,
    .subset_sums = subset_sums<GenericLanes>,
    .decode_i8 = decode_i8,
    .residual_squared = residual_squared<GenericResidual>,
    .encode_residual_u1 = encode_residual<GenericResidual, 1>,
    .encode_residual_u2 = encode_residual<GenericResidual, 2>,
};

}  // namespace vann::simd

// kernels_avx512vbmi.cpp — the table scans where one instruction looks up 64 or 128 entries (AVX-512
// VBMI, VNNI); all other kernels of that table are those of kernels_avx512.cpp.

#if defined(__x86_64__)

// GCC's own intrinsics pass deliberately undefined registers (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "core/simd/tables.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::simd {
namespace {

__m512i load64(const void *p) noexcept { return _mm512_loadu_si512(p); }

// Sums of 16 neighbors, one int32 lane each, in four chains that cover the latency of vpdpbusd.
struct NeighborSums {
  __m512i chain[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                      _mm512_setzero_si512()};

  // `half` holds bytes 4 h .. 4 h + 3 of 16 codes, one code per 32-bit lane; `low` and `high` the
  // 64 table entries for the low and the high nibbles of these four byte positions. An index is
  // byte position * 16 + nibble, formed by one ternary operation: (nibbles & 15) | 16 * position.
  template <size_t h>
  void add(__m512i half, __m512i low, __m512i high) noexcept {
    constexpr int kAndOr = 0xea;  // (a & b) | c
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i position = _mm512_set1_epi32(0x30201000);
    const __m512i low_index = _mm512_ternarylogic_epi32(half, nibble, position, kAndOr);
    const __m512i high_index =
        _mm512_ternarylogic_epi32(_mm512_srli_epi16(half, 4), nibble, position, kAndOr);
    const __m512i ones = _mm512_set1_epi8(1);
    chain[2 * h] = _mm512_dpbusd_epi32(chain[2 * h], _mm512_permutexvar_epi8(low_index, low), ones);
    chain[2 * h + 1] =
        _mm512_dpbusd_epi32(chain[2 * h + 1], _mm512_permutexvar_epi8(high_index, high), ones);
  }

  // Undoes the order that vshufps leaves: lane L holds neighbors 2 L, 2 L + 1, 2 L + 8, 2 L + 9.
  __m512i total() const noexcept {
    const __m512i order = _mm512_set_epi32(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0);
    const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(chain[0], chain[1]),
                                         _mm512_add_epi32(chain[2], chain[3]));
    return _mm512_permutexvar_epi32(order, sum);
  }
};

// Even (selector 0x88) or odd (0xdd) 32-bit words of 16 codes of eight bytes.
template <int selector>
__m512i half_codes(__m512i first, __m512i second) noexcept {
  return _mm512_castps_si512(
      _mm512_shuffle_ps(_mm512_castsi512_ps(first), _mm512_castsi512_ps(second), selector));
}

}  // namespace

void scan32_avx512vbmi(const uint8_t *tiles, const uint8_t *table, size_t dims,
                       uint32_t *sums) noexcept {
  NeighborSums sums0, sums1;
  for (size_t i = 0; i < dims; i += kCodeBlock, tiles += 256, table += 256) {
    const __m512i codes0 = load64(tiles), codes1 = load64(tiles + 64);
    const __m512i codes2 = load64(tiles + 128), codes3 = load64(tiles + 192);
    const __m512i low0 = load64(table), high0 = load64(table + 64);
    const __m512i low1 = load64(table + 128), high1 = load64(table + 192);
    sums0.add<0>(half_codes<0x88>(codes0, codes1), low0, high0);
    sums1.add<0>(half_codes<0x88>(codes2, codes3), low0, high0);
    sums0.add<1>(half_codes<0xdd>(codes0, codes1), low1, high1);
    sums1.add<1>(half_codes<0xdd>(codes2, codes3), low1, high1);
  }
  _mm512_storeu_si512(sums, sums0.total());
  _mm512_storeu_si512(sums + 16, sums1.total());
}

// Two lookups of 128 entries, of which the code's top bit selects. 16-bit sums of at most 257 bytes.
void lookup32_avx512vbmi(const uint8_t *codes, const uint8_t *table, size_t subvectors,
                         uint32_t *sums) noexcept {
  constexpr size_t kWhole = 257;  // 257 * 255 = 65535
  __m512i total0 = _mm512_setzero_si512(), total1 = _mm512_setzero_si512();
  while (subvectors > 0) {
    const size_t count = subvectors < kWhole ? subvectors : kWhole;
    __m512i rows = _mm512_setzero_si512();
    for (size_t i = 0; i < count; ++i, codes += 32, table += 256) {
      const __m256i own = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(codes));
      const __m512i index = _mm512_castsi256_si512(own);
      const __m512i low = _mm512_permutex2var_epi8(load64(table), index, load64(table + 64));
      const __m512i high =
          _mm512_permutex2var_epi8(load64(table + 128), index, load64(table + 192));
      const __m256i entry = _mm256_mask_blend_epi8(
          _mm256_movepi8_mask(own), _mm512_castsi512_si256(low), _mm512_castsi512_si256(high));
      rows = _mm512_add_epi16(rows, _mm512_cvtepu8_epi16(entry));
    }
    total0 = _mm512_add_epi32(total0, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(rows)));
    total1 = _mm512_add_epi32(total1, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rows, 1)));
    subvectors -= count;
  }
  _mm512_storeu_si512(sums, total0);
  _mm512_storeu_si512(sums + 16, total1);
}

}  // namespace vann::simd

#endif

// synthetic.cpp — a counter-based generator, so that rows can be drawn in parallel and in any
// order.
#include "bench/data/synthetic.hpp"

#include <algorithm>
#include <cstdint>

#include "bench/data/workers.hpp"

namespace vann::bench {
namespace {

constexpr size_t kLatentDims = 24;
constexpr float kSpread = 0.9f;  // of a cloud; the clouds' centers have spread 1
constexpr float kNoise = 0.2f;   // in every dimension, whose own spread is about 1

enum Stream : uint64_t { kCenters, kMap, kRows };

// SplitMix64, started at a place that stream and number determine.
class Random {
 public:
  Random(Stream stream, uint64_t number)
      : state_((number * 4 + stream + 1) * 0xd1342543de82ef95u) {}

  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

  // About normal: the sum of four uniform numbers, with mean 0 and variance 1.
  float normal() {
    const uint64_t b = bits();
    const auto sum =
        static_cast<int32_t>((b & 0xffff) + (b >> 16 & 0xffff) + (b >> 32 & 0xffff) + (b >> 48));
    return static_cast<float>(sum - 2 * 0xffff) * (1.7320508f / 65536.0f);
  }

 private:
  uint64_t state_;
};

Matrix draw_normals(Stream stream, size_t rows, size_t dims, float scale) {
  Matrix matrix{rows, dims, std::vector<float>(rows * dims)};
  Random random(stream, 0);
  for (float &value : matrix.values) value = scale * random.normal();
  return matrix;
}

void draw_row(size_t number, const Matrix &centers, const Matrix &map, float *row) {
  Random random(kRows, number);
  const float *center = centers.row(random.bits() % centers.rows);
  for (size_t j = 0; j < map.dims; ++j) row[j] = kNoise * random.normal();
  for (size_t i = 0; i < map.rows; ++i) {
    const float latent = center[i] + kSpread * random.normal();
    const float *axis = map.row(i);
    for (size_t j = 0; j < map.dims; ++j) row[j] += latent * axis[j];
  }
}

}  // namespace

Matrix draw_clusters(size_t rows, size_t dims, size_t clusters) {
  const size_t latent = std::min(dims, kLatentDims);
  const Matrix centers = draw_normals(kCenters, std::max<size_t>(clusters, 1), latent, 1);
  const Matrix map = draw_normals(kMap, latent, dims, 0.2f);
  Matrix matrix{rows, dims, std::vector<float>(rows * dims)};
  on_all_processors(rows, 1024, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      draw_row(i, centers, map, matrix.values.data() + i * dims);
    }
  });
  return matrix;
}

}  // namespace vann::bench

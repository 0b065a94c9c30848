// samples.hpp — seeded random vectors, oracles in double precision and a hash for the quantizer's
// tests.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace vann::quantize {

inline double dot(const std::vector<float> &a, const std::vector<float> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  return sum;
}

inline double squared_distance(const std::vector<float> &a, const std::vector<float> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    sum += difference * difference;
  }
  return sum;
}

// Gaussian vectors: what the rotation makes of any data, coordinate by coordinate.
class Sampler {
 public:
  explicit Sampler(uint64_t seed) : generator_(seed) {}

  // Independent coordinates; expected norm 1.
  std::vector<float> vector(size_t dims) {
    std::vector<float> out(dims);
    const float scale = 1.0f / std::sqrt(static_cast<float>(dims));
    for (float &value : out) {
      value = scale * normal_(generator_);
    }
    return out;
  }

  // `from` plus a random step of the given expected length.
  std::vector<float> near(const std::vector<float> &from, float length) {
    std::vector<float> out = vector(from.size());
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = from[i] + length * out[i];
    }
    return out;
  }

  // Integers small enough for exact sums, the same with every standard library.
  std::vector<float> integers(size_t dims) {
    std::vector<float> out(dims);
    for (float &value : out) {
      value = static_cast<float>(static_cast<int>(generator_() % 201) - 100);
    }
    return out;
  }

 private:
  std::mt19937_64 generator_;
  std::normal_distribution<float> normal_;
};

// Vectors at the edges of what a float can hold.
inline std::vector<std::vector<float>> extreme_vectors(size_t dims) {
  const float max = std::numeric_limits<float>::max();
  std::vector<std::vector<float>> out;
  for (const float value :
       {0.0f, -0.0f, 1.0f, -1.0f, 1e30f, -1e30f, 1e-30f, 1e-41f, max, 0.1f * max,
        std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    out.emplace_back(dims, value);
    std::vector<float> one_hot(dims, 0.0f);
    one_hot[dims / 3] = value;
    out.push_back(one_hot);
  }
  for (const float scale : {1e30f, 1e-30f, 1e-18f, 1e18f}) {
    std::vector<float> scaled = Sampler(99).vector(dims);
    for (float &value : scaled) {
      value *= scale;
    }
    out.push_back(scaled);
  }
  return out;
}

// FNV-1a over bytes.
inline uint64_t hash_bytes(const void *data, size_t size, uint64_t hash = 0xcbf29ce484222325u) {
  const uint8_t *bytes = static_cast<const uint8_t *>(data);
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  }
  return hash;
}

// Mean and standard deviation of a stream.
class Moments {
 public:
  void add(double value) {
    ++count_;
    sum_ += value;
    squares_ += value * value;
  }
  double mean() const { return sum_ / count_; }
  double deviation() const { return std::sqrt(squares_ / count_ - mean() * mean()); }

 private:
  double count_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

}  // namespace vann::quantize

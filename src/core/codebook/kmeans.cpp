// kmeans.cpp — k-means++ and Lloyd's iterations, in one thread and a fixed order.
#include "core/codebook/kmeans.hpp"

#include <algorithm>
#include <vector>

#include "core/codebook/random.hpp"
#include "core/quantize/codebook.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::codebook {
namespace {

constexpr int kIterations = 16;

// Points between two looks at whether the training was cancelled: well below 10 ms.
constexpr size_t kCheckedPoints = 4096;

float squared_distance(const float *a, const float *b, size_t n) noexcept {
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return sum;
}

class Kmeans {
 public:
  Kmeans(const KmeansTask &task, parallel::Worker &worker, float *entries)
      : task_(task), worker_(worker), entries_(entries), distances_(task.count, 0.0f),
        sums_(task.entries * task.length), sizes_(task.entries) {}

  void train() {
    start();
    for (int i = 0; i < kIterations; ++i) {
      assign();
      if (!move_entries()) {
        break;
      }
    }
  }

 private:
  const float *point(size_t i) const noexcept { return task_.points + i * task_.length; }
  float *entry(size_t u) const noexcept { return entries_ + u * task_.stride; }
  void place(size_t u, size_t i) noexcept { std::copy_n(point(i), task_.length, entry(u)); }

  // Each entry a point drawn by its squared distance to the entries so far.
  void start() {
    Random random(task_.seed, task_.stream);
    size_t chosen = random.below(task_.count);
    for (size_t u = 0; u < task_.entries; ++u) {
      worker_.checkpoint();
      place(u, chosen);
      double total = 0.0;
      for (size_t i = 0; i < task_.count; ++i) {
        const float distance = squared_distance(point(i), entry(u), task_.length);
        distances_[i] = u == 0 ? distance : std::min(distance, distances_[i]);
        total += distances_[i];
      }
      chosen = draw(random.uniform() * total);
    }
  }

  // The point where the running sum of distances passes `threshold`.
  size_t draw(double threshold) const noexcept {
    double sum = 0.0;
    for (size_t i = 0; i < task_.count; ++i) {
      sum += distances_[i];
      if (sum > threshold) {
        return i;
      }
    }
    return task_.count - 1;
  }

  void assign() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(sizes_.begin(), sizes_.end(), 0);
    for (size_t i = 0; i < task_.count; ++i) {
      if (i % kCheckedPoints == 0) {
        worker_.checkpoint();
      }
      const size_t u =
          quantize::nearest_entry(entries_, task_.entries, task_.stride, point(i), task_.length);
      distances_[i] = squared_distance(point(i), entry(u), task_.length);
      ++sizes_[u];
      for (size_t k = 0; k < task_.length; ++k) {
        sums_[u * task_.length + k] += static_cast<double>(point(i)[k]);
      }
    }
  }

  // False when no entry moved.
  bool move_entries() {
    bool moved = false;
    for (size_t u = 0; u < task_.entries; ++u) {
      for (size_t k = 0; k < task_.length && sizes_[u] != 0; ++k) {
        const double mean = sums_[u * task_.length + k] / static_cast<double>(sizes_[u]);
        moved = moved || entry(u)[k] != static_cast<float>(mean);
        entry(u)[k] = static_cast<float>(mean);
      }
    }
    for (size_t u = 0; u < task_.entries; ++u) {
      moved = (sizes_[u] == 0 && fill_empty(u)) || moved;
    }
    return moved;
  }

  // False when every point already has an entry in its place.
  bool fill_empty(size_t u) noexcept {
    const auto worst = std::max_element(distances_.begin(), distances_.end());
    if (!(*worst > 0.0f)) {
      return false;
    }
    place(u, static_cast<size_t>(worst - distances_.begin()));
    *worst = 0.0f;
    return true;
  }

  const KmeansTask &task_;
  parallel::Worker &worker_;
  float *entries_;
  std::vector<float> distances_;
  std::vector<double> sums_;
  std::vector<size_t> sizes_;
};

}  // namespace

void train_entries(const KmeansTask &task, parallel::Worker &worker, float *entries) {
  Kmeans(task, worker, entries).train();
}

}  // namespace vann::codebook

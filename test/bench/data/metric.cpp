// metric.cpp — names and the exact distances.
#include "bench/data/metric.hpp"

#include <cmath>

namespace vann::bench {
namespace {

struct Names {
  const char *name;
  const char *op;
  const char *op_class;
};

constexpr Names kNames[] = {{"L2", "<->", "vector_l2_ops"},
                            {"cosine", "<=>", "vector_cosine_ops"},
                            {"inner product", "<#>", "vector_ip_ops"}};

const Names &names(Metric metric) { return kNames[static_cast<size_t>(metric)]; }

double product(const float *a, const float *b, size_t dims) {
  double sum = 0;
  for (size_t i = 0; i < dims; ++i) sum += double{a[i]} * b[i];
  return sum;
}

}  // namespace

const char *metric_name(Metric metric) { return names(metric).name; }
const char *metric_operator(Metric metric) { return names(metric).op; }
const char *metric_class(Metric metric) { return names(metric).op_class; }

double exact_distance(Metric metric, const float *a, const float *b, size_t dims) {
  if (metric == Metric::kL2) {
    double sum = 0;
    for (size_t i = 0; i < dims; ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    return sum;
  }
  const double dot = product(a, b, dims);
  if (metric == Metric::kInnerProduct) return -dot;
  const double norms = std::sqrt(product(a, a, dims) * product(b, b, dims));
  return norms > 0 ? -dot / norms : 1;
}

}  // namespace vann::bench

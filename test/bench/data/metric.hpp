// metric.hpp — what "near" means in a data set.
#pragma once

#include <cstddef>

namespace vann::bench {

enum class Metric { kL2, kCosine, kInnerProduct };

const char *metric_name(Metric metric);      // for people
const char *metric_operator(Metric metric);  // in SQL
const char *metric_class(Metric metric);     // operator class of type vector

// Orders as the metric does, nearer first: the squared distance, minus the cosine, minus the
// product. In double precision.
double exact_distance(Metric metric, const float *a, const float *b, size_t dims);

}  // namespace vann::bench

// train.hpp — what a build learns from its sample: centroids, codebooks, a rotation, and how many
// lists a scan should read. Core work: functions throw parallel::Cancelled, std::bad_alloc.
#pragma once

#include "am/ivfpq/build/plan.hpp"
#include "am/ivfpq/build/sample.hpp"
#include "core/cluster/train.hpp"

#include <vector>

namespace vann::ivfpq {

struct Training {
  // As rows are assigned: under the inner product directions of unit length.
  cluster::Centroids centroids;
  std::vector<float> lengths;   // [count] of the rows of each list, mean; inner product only
  PageVector<uint32_t> lists;   // of the sample's rows
  PageVector<float> rotation;   // learned, [dims][dims]; empty: none
  PageVector<float> codebooks;  // empty: not learned
  uint32_t probes = 0;
  float error_scale = 1;  // of scan codes

  // The centroid that rows of the list are coded against: dims floats.
  void anchor(size_t list, float *out) const;
};

// What every step works on. Owns nothing.
struct TrainInput {
  const MetaPage *meta;
  const Layout *layout;
  const BuildPlan *plan;
  const Sample *sample;
  double rows;        // of the table, estimated
  const float *mean;  // that was taken off the sample; rotated_dims
};

// Trains centroids and assigns the sample to them. Without rows there is one list, at the centre.
void train_lists(const TrainInput &input, parallel::Monitor &monitor, Training *training);

// How many of the nearest lists hold `kFoundShare` of the ten nearest neighbours of rows of the table, as
// far as the sample tells (measure.cpp). To be called before train_codes().
inline constexpr double kFoundShare = 0.97;
uint32_t measure_probes(const TrainInput &input, const Training &training,
                        parallel::Monitor &monitor);

// Learns what rotation and codec ask for from residuals of the sample, and measures the errors of codes.
void train_codes(const TrainInput &input, parallel::Monitor &monitor, Training *training);

}  // namespace vann::ivfpq

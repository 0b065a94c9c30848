// train.cpp — centroids, a rotation and codebooks from a sample of rows.
#include "am/ivfpq/build/train.hpp"

#include "am/ivfpq/unit_length.hpp"
#include "core/cluster/assigner.hpp"
#include "core/codebook/learn.hpp"

#include <algorithm>
#include <cmath>

namespace vann::ivfpq {

namespace {

constexpr uint64_t kSeed = 0x766563746f725f63ull;
constexpr size_t kChunkRows = 512;
// Of which the errors of codes are measured, where nothing is to be learned from more.
constexpr size_t kMeasuredRows = 4096;

Metric metric_of(const TrainInput &input) { return static_cast<Metric>(input.meta->metric); }

void centre_list(const TrainInput &input, Training *training) {
  training->centroids.dims = input.sample->dims;
  training->centroids.count = 1;
  training->centroids.values.assign(input.sample->dims, 0.0f);
  training->centroids.cells.assign(input.sample->dims, 0.0f);
  training->centroids.cell_begin = {0, 1};
  training->lengths.assign(metric_of(input) == Metric::kInnerProduct ? 1 : 0, 0.0f);
}

void assign_sample(const TrainInput &input, parallel::Team &team, Training *training) {
  const build::VectorSet set = input.sample->set();
  const build::RowView view(set, nullptr, set.rows);
  const cluster::Assigner assigner(training->centroids);
  training->lists.resize(set.rows);
  std::vector<cluster::Assigner::Scratch> scratch(team.threads());
  std::vector<std::vector<cluster::Match>> matches(team.threads());
  team.run({.items = set.rows, .chunk = kChunkRows, .stage_total = set.rows},
           [&](parallel::Worker &worker, size_t begin, size_t end) {
             std::vector<cluster::Match> &found = matches[worker.index()];
             found.resize(end - begin);
             assigner.nearest(view, begin, 1, found, scratch[worker.index()]);
             for (size_t i = begin; i < end; ++i) training->lists[i] = found[i - begin].list;
           });
}

// A list's centroid has the mean length of its rows.
void measure_lengths(const TrainInput &input, Training *training) {
  std::vector<double> sums(training->centroids.count);
  std::vector<uint32_t> rows(training->centroids.count);
  for (size_t i = 0; i < input.sample->rows; ++i) {
    sums[training->lists[i]] += input.sample->lengths[i];
    ++rows[training->lists[i]];
  }
  training->lengths.resize(training->centroids.count);
  for (size_t i = 0; i < sums.size(); ++i)
    training->lengths[i] = static_cast<float>(sums[i] / std::max(rows[i], 1u));
}

// Evenly spread rows of the sample, those of a list together.
std::vector<size_t> choose_rows(const Sample &sample, const Training &training, size_t rows) {
  std::vector<size_t> chosen(rows);
  for (size_t k = 0; k < rows; ++k) chosen[k] = k * sample.rows / rows;
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](size_t a, size_t b) { return training.lists[a] < training.lists[b]; });
  return chosen;
}

// Residuals of such rows: [rows][dims].
PageVector<float> residuals_of(const TrainInput &input, const Training &training, size_t rows) {
  const Sample &sample = *input.sample;
  PageVector<float> residuals(rows * sample.dims);
  std::vector<float> anchor(sample.dims);
  const std::vector<size_t> chosen = choose_rows(sample, training, rows);
  for (size_t k = 0; k < rows; ++k) {
    const size_t i = chosen[k];
    float *out = residuals.data() + k * sample.dims;
    quantize::decode_bytes(sample.values + i * quantize::padded_dims(sample.dims),
                           sample.codes[i].factors, sample.dims, out);
    training.anchor(training.lists[i], anchor.data());
    const float length = sample.lengths != nullptr ? sample.lengths[i] : 1.0f;
    for (size_t d = 0; d < sample.dims; ++d) out[d] = out[d] * length - anchor[d];
  }
  return residuals;
}

}  // namespace

void Training::anchor(size_t list, float *out) const {
  const float length = lengths.empty() ? 1.0f : lengths[list];
  const float *direction = centroids.values.data() + list * centroids.dims;
  for (size_t i = 0; i < centroids.dims; ++i) out[i] = direction[i] * length;
}

void train_lists(const TrainInput &input, parallel::Monitor &monitor, Training *training) {
  const Sample &sample = *input.sample;
  if (sample.rows == 0) {
    centre_list(input, training);
    return;
  }
  const bool angles = metric_of(input) == Metric::kInnerProduct;
  const build::VectorSet set = sample.set();
  const build::RowView view(set, nullptr, set.rows);
  parallel::Team team(input.plan->threads, monitor);
  training->centroids =
      cluster::train(view,
                     {.lists = trainable_lists(*input.meta, input.plan->lists, sample.rows),
                      .spherical = angles,
                      .seed = kSeed},
                     team);
  // One list has its rows' centre.
  if (metric_of(input) == Metric::kCosine && training->centroids.count > 1)
    for (size_t i = 0; i < training->centroids.count; ++i)
      to_unit_length(training->centroids.values.data() + i * sample.dims, input.mean, sample.dims);
  assign_sample(input, team, training);
  if (angles) measure_lengths(input, training);
}

void train_codes(const TrainInput &input, parallel::Monitor &monitor, Training *training) {
  const Layout &layout = *input.layout;
  const Sample &sample = *input.sample;
  const bool rotates = input.meta->rotation == static_cast<uint8_t>(RotationKind::kLearned);
  const bool coded = layout.rows.codec != quantize::Codec::kRabitq;
  if (sample.rows < kLeastTrained) return;
  parallel::Team team(input.plan->threads, monitor);
  const size_t wanted = rotates || coded ? input.plan->coded_rows : kMeasuredRows;
  const size_t rows = std::min<size_t>({wanted, input.plan->coded_rows, sample.rows});
  PageVector<float> residuals = residuals_of(input, *training, rows);
  if (rotates) training->rotation.resize(sample.dims * sample.dims);
  training->codebooks.resize(quantize::codebook_floats(layout.rows));
  training->error_scale = codebook::learn_codes(layout.rows, residuals.data(), rows, kSeed, team,
                                                rotates ? training->rotation.data() : nullptr,
                                                coded ? training->codebooks.data() : nullptr);
}

}  // namespace vann::ivfpq

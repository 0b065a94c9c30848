// scan_error_test.cpp — the measured scale of errors: 1 where rows spread evenly, and what makes the stated
// deviation true where they do not.
#include "core/codebook/scan_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/codebook/learn.hpp"
#include "core/codebook/random.hpp"
#include "training_rows.hpp"

namespace vann::codebook {
namespace {

using quantize::Codec;
using quantize::Geometry;
using quantize::ListModel;
using quantize::ListShape;

constexpr uint32_t kDims = 64;

// Gaussian rows whose dimension i has the deviation 1 / (1 + i * fall).
Rows falling_rows(size_t count, double fall, uint64_t seed) {
  Random random(seed, 0);
  Rows rows(count, kDims);
  for (size_t k = 0; k < rows.values.size(); ++k) {
    rows.values[k] =
        static_cast<float>(random.normal() / (1.0 + static_cast<double>(k % kDims) * fall));
  }
  return rows;
}

Rows first_of(const Rows &rows, size_t count) {
  Rows first(count, rows.dims);
  std::copy_n(rows.at(0), count * rows.dims, first.at(0));
  return first;
}

double distance_between(Geometry geometry, const float *a, const float *b) {
  if (geometry == Geometry::kL2) return squared_distance(a, b, kDims);
  double product = 0;
  for (size_t d = 0; d < kDims; ++d) product += double{a[d]} * b[d];
  return -product;
}

ListShape shape_of(Codec codec, Geometry geometry) {
  const uint32_t subvectors = codec == Codec::kRabitq ? 0 : kDims / 4;
  const uint32_t scan_dims =
      codec == Codec::kRabitq ? kDims : quantize::scan_dims_of(codec, subvectors);
  return {kDims, codec, subvectors, scan_dims, 4, geometry};
}

TEST(ScanErrorTest, IsOneWhereRowsSpreadEvenly) {
  const Rows rows = falling_rows(3000, 0, 1);
  for (const Geometry geometry : {Geometry::kL2, Geometry::kInnerProduct}) {
    const ListModel model = {shape_of(Codec::kRabitq, geometry), nullptr};
    const float scale = measure_error_scale(model, rows.at(0), 3000);
    EXPECT_GE(scale, 1.0f);
    EXPECT_LE(scale, 1.05f);
  }
}

// The scale makes the stated deviation the true one: measured again with it, the ratio is one.
TEST(ScanErrorTest, CorrectsStatedErrorsOfUnevenRows) {
  const Rows rows = falling_rows(3000, 0.3, 2);
  for (const Geometry geometry : {Geometry::kL2, Geometry::kInnerProduct}) {
    ListModel model = {shape_of(Codec::kRabitq, geometry), nullptr};
    model.error_scale = measure_error_scale(model, rows.at(0), 3000);
    EXPECT_GT(model.error_scale, 1.1f);
    EXPECT_LT(model.error_scale, quantize::kMostErrorScale);
    const Rows coded_rows = first_of(rows, 320);
    const CodedRows coded(model, coded_rows);
    double found = 0;
    double stated = 0;
    for (size_t i = 1000; i < 1100; ++i) {
      std::vector<float> errors;
      const std::vector<float> estimates = coded.estimates(rows.at(i), &errors);
      for (size_t k = 0; k < estimates.size(); ++k) {
        const double error =
            estimates[k] - distance_between(geometry, rows.at(i), coded_rows.at(k));
        found += error * error;
        stated += double{errors[k]} * errors[k];
      }
    }
    EXPECT_NEAR(std::sqrt(found / stated), 1.0, 0.1);
  }
}

TEST(ScanErrorTest, IsOneWithoutEnoughRows) {
  const Rows rows = falling_rows(32, 0.3, 3);
  const ListModel model = {shape_of(Codec::kRabitq, Geometry::kL2), nullptr};
  EXPECT_EQ(measure_error_scale(model, rows.at(0), 32), 1.0f);
  EXPECT_EQ(measure_error_scale(model, rows.at(0), 0), 1.0f);
  const Rows zeros(100, kDims);
  EXPECT_EQ(measure_error_scale(model, zeros.at(0), 100), 1.0f);
}

// Codes of rows under a model with a matrix are those of turned rows under the same model without.
TEST(LearnTest, RotationTurnsRowsAndQueries) {
  constexpr size_t kRows = 2048;
  const Rows rows = falling_rows(kRows, 0.3, 4);
  const ListShape shape = shape_of(Codec::kPq4, Geometry::kL2);
  Rows turned = rows;
  std::vector<float> matrix(kDims * kDims);
  std::vector<float> codebooks(quantize::codebook_floats(shape));
  SilentMonitor monitor;
  parallel::Team team(1, monitor);
  const float scale =
      learn_codes(shape, turned.at(0), kRows, 7, team, matrix.data(), codebooks.data());
  EXPECT_GE(scale, 1.0f);
  const CodedRows plain({shape, codebooks.data(), matrix.data(), scale}, first_of(rows, 320));
  const CodedRows own({shape, codebooks.data(), nullptr, scale}, first_of(turned, 320));
  for (size_t i = 400; i < 410; ++i) {
    const std::vector<float> a = plain.estimates(rows.at(i));
    const std::vector<float> b = own.estimates(turned.at(i));
    for (size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 0.02 * std::abs(b[k]) + 0.01);
  }
}

}  // namespace
}  // namespace vann::codebook

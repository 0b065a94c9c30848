// scan_error.cpp — see scan_error.hpp.
#include "core/codebook/scan_error.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/pages.hpp"
#include "core/simd/kernels.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::codebook {
namespace {

constexpr size_t kBlocks = 256;
constexpr size_t kRows = simd::kScanWidth;

struct Sums {
  double found = 0;   // squares of errors
  double stated = 0;  // and what codes say that they are
};

// Rows coded against the origin, which their residuals are taken against.
class Block {
 public:
  explicit Block(const quantize::ListModel &model)
      : model_(model), origin_(model.shape.dims),
        scratch_(quantize::encode_scratch_floats(model.shape)),
        code_(quantize::scan_code_bytes(model.shape)),
        tiles_(quantize::block_code_bytes(model.shape)),
        memory_(quantize::list_query_bytes(model.shape)) {}

  void encode(const float *rows) {
    for (size_t i = 0; i < kRows; ++i) {
      const quantize::ScanFactors factors = quantize::encode_scan(
          model_, origin_.data(), rows + i * model_.shape.dims, scratch_.data(), code_.data());
      quantize::store_code(model_.shape, tiles_.data(), i, code_.data());
      scales_[i] = factors.scale;
      offsets_[i] = factors.offset;
      errors_[i] = factors.error;
    }
  }

  void compare(const float *query, const float *rows, Sums *sums) {
    const quantize::ListShape &shape = model_.shape;
    const simd::Kernels &kernels = simd::kernels();
    const bool l2 = shape.geometry == quantize::Geometry::kL2;
    const float squared = kernels.dot_f32(query, query, shape.dims);
    const quantize::ListQuery prepared =
        quantize::prepare_list_query(model_, query, memory_.data());
    quantize::BlockEstimates estimates;
    quantize::scan_block(prepared, {l2 ? squared : 0.0f, std::sqrt(squared)}, tiles_.data(),
                         scales_, offsets_, errors_, 0, 0, &estimates);
    for (size_t i = 0; i < kRows; ++i) {
      const float *row = rows + i * shape.dims;
      const float distance = l2 ? kernels.l2_squared_f32(query, row, shape.dims)
                                : -kernels.dot_f32(query, row, shape.dims);
      const double error = static_cast<double>(estimates.estimates[i]) - distance;
      sums->found += error * error;
      sums->stated += static_cast<double>(estimates.errors[i]) * estimates.errors[i];
    }
  }

 private:
  const quantize::ListModel &model_;
  PageVector<float> origin_;
  PageVector<float> scratch_;
  PageVector<uint8_t> code_;
  PageVector<uint8_t> tiles_;
  PageVector<uint8_t> memory_;
  uint16_t scales_[kRows];
  uint16_t offsets_[kRows];
  uint16_t errors_[kRows];
};

}  // namespace

float measure_error_scale(quantize::ListModel model, const float *residuals, size_t rows) {
  if (rows <= kRows) return 1.0f;
  model.error_scale = 1.0f;
  Block block(model);
  Sums sums;
  const size_t blocks = std::min(kBlocks, rows - kRows);
  for (size_t i = 0; i < blocks; ++i) {
    const float *query = residuals + i * (rows - kRows) / blocks * model.shape.dims;
    const float *following = query + model.shape.dims;
    block.encode(following);
    block.compare(query, following, &sums);
  }
  const double ratio = std::sqrt(sums.found / sums.stated);
  return std::isfinite(ratio)
             ? std::clamp(static_cast<float>(ratio), 1.0f, quantize::kMostErrorScale)
             : 1.0f;
}

}  // namespace vann::codebook

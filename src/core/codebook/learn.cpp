// learn.cpp — see learn.hpp.
#include "core/codebook/learn.hpp"

#include <algorithm>
#include <vector>

#include "core/codebook/codebooks.hpp"
#include "core/codebook/opq.hpp"
#include "core/codebook/scan_error.hpp"
#include "core/quantize/codebook.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::codebook {
namespace {

void turn_all(const quantize::ListModel &model, float *vectors, size_t count,
              parallel::Team &team) {
  const size_t dims = model.shape.dims;
  std::vector<std::vector<float>> copies(team.threads(), std::vector<float>(dims));
  team.run({.items = count, .chunk = 16, .stage_total = count},
           [&](parallel::Worker &worker, size_t begin, size_t end) {
             std::vector<float> &copy = copies[worker.index()];
             for (size_t i = begin; i < end; ++i) {
               std::copy_n(vectors + i * dims, dims, copy.data());
               quantize::turn(model, copy.data(), vectors + i * dims);
             }
           });
}

}  // namespace

float learn_codes(const quantize::ListShape &shape, float *residuals, size_t rows, uint64_t seed,
                  parallel::Team &team, float *matrix, float *codebooks) {
  if (matrix != nullptr) {
    train_rotation(residuals, rows, shape.dims, shape.subvectors, seed, team, matrix);
    turn_all({shape, nullptr, matrix}, residuals, rows, team);
  }
  if (codebooks != nullptr) {
    train_codebooks(shape, residuals, rows, seed, team, codebooks);
  }
  return measure_error_scale({shape, codebooks}, residuals, rows);
}

}  // namespace vann::codebook

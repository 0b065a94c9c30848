// row_assigner.cpp — owns core objects on behalf of frames that an ERROR may leave.
#include "am/ivfpq/organise/row_assigner.hpp"

#include "am/common/run_core.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr uint64_t kSeed = 0x6c697374735f3131ull;

build::VectorSet set_of(const CodedRows &rows) {
  return {rows.rows, rows.dims, rows.values, rows.codes, {}};
}

}  // namespace

CodedRows allocate_rows(size_t dims, size_t capacity, const float *reference,
                        MemoryContext context) {
  return {dims, reference,
          pg::allocate_aligned<int8_t>(context, capacity * quantize::padded_dims(dims)),
          pg::allocate_aligned<quantize::ByteCode>(context, capacity), 0};
}

void relate(const float *x, const float *reference, size_t dims, float *out) {
  if (reference != nullptr) {
    for (size_t i = 0; i < dims; ++i) out[i] = x[i] - reference[i];
    return;
  }
  const float length = std::sqrt(simd::kernels().dot_f32(x, x, dims));
  for (size_t i = 0; i < dims; ++i) out[i] = length > 0 ? x[i] / length : 0.0f;
}

void add_row(CodedRows *rows, const float *x, float *scratch) {
  relate(x, rows->reference, rows->dims, scratch);
  rows->codes[rows->rows] = quantize::encode_bytes(
      scratch, rows->dims, rows->values + rows->rows * quantize::padded_dims(rows->dims));
  ++rows->rows;
}

uint32_t train_centroids(const CodedRows &rows, uint32_t lists, float *centroids) {
  struct Work {
    const CodedRows *rows;
    uint32_t lists;
    float *centroids;
    uint32_t count;
  } work{&rows, lists, centroids, 0};
  am::run_core(
      [](void *argument) {
        Work &wanted = *static_cast<Work *>(argument);
        const build::VectorSet set = set_of(*wanted.rows);
        am::BackendMonitor monitor(false, 0);
        parallel::Team team(1, monitor);
        cluster::Params params;
        params.lists = wanted.lists;
        params.spherical = wanted.rows->reference == nullptr;
        params.seed = kSeed;
        const cluster::Centroids found =
            cluster::train(build::RowView(set, nullptr, set.rows), params, team);
        wanted.count = found.count;
        std::copy_n(found.values.begin(), size_t{found.count} * found.dims, wanted.centroids);
      },
      &work);
  return work.count;
}

struct RowAssigner::State {
  State(const float *centroids, uint32_t count, size_t dims, const uint32_t (&cell)[2])
      : assigner(centroids, dims, cell, centroids) {}

  cluster::Assigner assigner;
  cluster::Assigner::Scratch scratch;
};

RowAssigner::RowAssigner(const float *centroids, uint32_t count, size_t dims, MemoryContext context)
    : state_(nullptr) {
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
  struct Creation {
    const float *centroids;
    uint32_t count;
    size_t dims;
    State *state;
  } creation{centroids, count, dims, nullptr};
  am::run_core(
      [](void *argument) {
        Creation &wanted = *static_cast<Creation *>(argument);
        const uint32_t cell[2] = {0, wanted.count};
        wanted.state = new State(wanted.centroids, wanted.count, wanted.dims, cell);
      },
      &creation);
  state_ = creation.state;
  callback->func = [](void *state) { delete static_cast<State *>(state); };
  callback->arg = state_;
  MemoryContextRegisterResetCallback(context, callback);
}

void RowAssigner::nearest(const CodedRows &rows, cluster::Match *out) const {
  if (rows.rows == 0) return;
  struct Work {
    State *state;
    const CodedRows *rows;
    cluster::Match *out;
  } work{state_, &rows, out};
  am::run_core(
      [](void *argument) {
        Work &wanted = *static_cast<Work *>(argument);
        const build::VectorSet set = set_of(*wanted.rows);
        wanted.state->assigner.nearest(build::RowView(set, nullptr, set.rows), 0, 1,
                                       {wanted.out, set.rows}, wanted.state->scratch);
      },
      &work);
}

}  // namespace vann::ivfpq

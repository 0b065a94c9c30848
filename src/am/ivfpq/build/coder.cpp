// coder.cpp — see coder.hpp.
#include "am/ivfpq/build/coder.hpp"

#include "am/ivfpq/build/core.hpp"
#include "core/cluster/assigner.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace vann::ivfpq {

namespace {

// A batch is long enough that centroids are read for many rows at once.
constexpr size_t kBatchBytes = size_t{2} << 20;
constexpr size_t kMostBatchRows = 1024;

Index index_of(Relation relation, const BuildModel &model) {
  return {relation, model.cache(), &am::operator_class_of(relation), model.meta};
}

bool by_angle(const BuildModel &model) { return model.cache()->metric == Metric::kInnerProduct; }

// Rows are assigned to what they will be coded against: centroids as their codes say them.
void decode_centroids(const BuildModel &model, float *out) {
  const size_t dims = model.layout().rotated_dims;
  for (uint32_t list = 0; list < model.lists; ++list, out += dims) {
    model.anchor(list, out);
    if (!by_angle(model)) continue;
    const float squared = simd::kernels().dot_f32(out, out, dims);
    if (squared > 0)
      for (size_t i = 0; i < dims; ++i) out[i] /= std::sqrt(squared);
  }
}

}  // namespace

struct RowCoder::Assignment {
  std::optional<cluster::Assigner> assigner;
  cluster::Assigner::Scratch scratch;
  std::vector<cluster::Match> matches;
};

RowCoder::RowCoder(Relation index, Relation heap, const BuildModel &model, MemoryContext context,
                   const CodedRowSink &sink)
    : model_(model), context_(context), reader_(index_of(index, model), heap, context), sink_(sink),
      capacity_(batch_rows(model.layout())), count_(0) {
  const Layout &layout = model.layout();
  const size_t dims = layout.rotated_dims;
  vectors_ = pg::allocate_aligned<float>(context, capacity_ * dims);
  values_ = pg::allocate_aligned<int8_t>(context, capacity_ * quantize::padded_dims(dims));
  codes_ = pg::allocate_aligned<quantize::ByteCode>(context, capacity_);
  tids_ = pg::allocate_aligned<HeapTid>(context, capacity_);
  anchor_ = pg::allocate_aligned<float>(context, dims);
  scratch_ = pg::allocate_aligned<float>(context, quantize::encode_scratch_floats(layout.rows));
  row_ =
      reinterpret_cast<CodedRow *>(pg::allocate_aligned<uint8_t>(context, coded_row_bytes(layout)));
  memset(row_, 0, coded_row_bytes(layout));
  assignment_ = make_core_object<Assignment>(context);
  build_assigner();
}

size_t RowCoder::batch_rows(const Layout &layout) {
  return std::clamp(kBatchBytes / (layout.rotated_dims * sizeof(float)), cluster::kTileRows,
                    kMostBatchRows);
}

size_t RowCoder::bytes(const BuildModel &model) {
  const Layout &layout = model.layout();
  const size_t dims = layout.rotated_dims;
  const size_t batch =
      batch_rows(layout) * (dims * sizeof(float) + quantize::padded_dims(dims) + 256);
  const size_t packed = (model.lists + model.cells) * (quantize::padded_dims(dims) + 16);
  const size_t centroids = model.lists * dims * sizeof(float);
  return packed + std::max(batch, centroids) + (size_t{1} << 20);
}

void RowCoder::build_assigner() {
  in_core([this] {
    const size_t dims = model_.layout().rotated_dims;
    PageVector<float> centroids(model_.lists * dims);
    decode_centroids(model_, centroids.data());
    const std::span<const uint32_t> cells(model_.cell_begin(), model_.cells + 1);
    assignment_->assigner.emplace(centroids.data(), dims, cells, model_.cell_centroids());
    assignment_->matches.resize(capacity_);
  });
}

void RowCoder::add(Datum value, const HeapTid &tid) {
  const size_t dims = model_.layout().rotated_dims;
  float *vector = vectors_ + count_ * dims;
  reader_.prepare(value, vector);
  codes_[count_] =
      quantize::encode_bytes(vector, dims, values_ + count_ * quantize::padded_dims(dims));
  if (by_angle(model_)) scale_to_unit(&codes_[count_]);
  tids_[count_] = tid;
  if (++count_ == capacity_) flush();
}

void RowCoder::flush() {
  if (count_ == 0) return;
  in_core([this] {
    const build::VectorSet set{count_, model_.layout().rotated_dims, values_, codes_, {}};
    assignment_->assigner->nearest(build::RowView(set, nullptr, count_), 0, 1,
                                   std::span(assignment_->matches).first(count_),
                                   assignment_->scratch);
  });
  const Layout &layout = model_.layout();
  const quantize::ListModel rows = model_.cache()->model();
  for (size_t i = 0; i < count_; ++i) {
    const float *vector = vectors_ + i * layout.rotated_dims;
    row_->list = assignment_->matches[i].list;
    row_->tid = tids_[i];
    model_.anchor(row_->list, anchor_);
    row_->scan = quantize::encode_scan(rows, anchor_, vector, scratch_, row_->codes());
    row_->refine = quantize::encode_refine(layout.rows, anchor_, vector, scratch_,
                                           row_->codes() + quantize::scan_code_bytes(layout.rows));
    sink_.add(sink_.state, row_);
  }
  count_ = 0;
}

}  // namespace vann::ivfpq

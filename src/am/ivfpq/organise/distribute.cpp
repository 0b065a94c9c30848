// distribute.cpp — see distribute.hpp. Locks: those of append_rows().
#include "am/ivfpq/organise/distribute.hpp"

#include "core/base/bfloat16.hpp"
#include "pg/compat.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr size_t kFewestRows = 64;
constexpr size_t kMostRows = 32768;

// What a code has lost of a row (squared) may be this much of its squared distance to a new centroid. That
// loss then is not orthogonal to the residual any more, and where it is not small beside the distances
// that matter, factors do not tell how far estimates are off.
constexpr double kMostLost = 1.0 / 32;

size_t waiting_bytes(const Layout &layout) {
  return 160 + coded_row_bytes(layout.rotated_dims) + layout.rotated_dims * sizeof(float) +
         quantize::scan_code_bytes(layout.rows) + quantize::refine_code_bytes(layout.rows);
}

}  // namespace

void Distributor::init(const Index &index, Target *targets, uint32_t count, const float *reference,
                       uint64_t rows, MemoryContext context) {
  const Layout &layout = index.layout();
  const size_t dims = layout.rotated_dims;
  index_ = index;
  targets_ = targets;
  target_count_ = count;
  encoder_.init(index, context);
  anchors_.init(index, context);
  capacity_ = std::min<size_t>(
      {size_t(maintenance_work_mem) * 512 / waiting_bytes(layout), rows, kMostRows});
  capacity_ = std::max(capacity_, kFewestRows);
  coded_ = allocate_rows(dims, capacity_, reference, context);
  vectors_ = pg::allocate_aligned<float>(context, capacity_ * dims);
  scans_ =
      pg::allocate_aligned<uint8_t>(context, capacity_ * quantize::scan_code_bytes(layout.rows));
  refines_ =
      pg::allocate_aligned<uint8_t>(context, capacity_ * quantize::refine_code_bytes(layout.rows));
  waiting_ = pg::allocate_aligned<Waiting>(context, capacity_);
  order_ = pg::allocate_aligned<uint32_t>(context, capacity_);
  outgoing_ = pg::allocate_aligned<EncodedRow>(context, capacity_);
  matches_ = pg::allocate_aligned<cluster::Match>(context, capacity_);
  scratch_ = pg::allocate_aligned<float>(context, dims);

  float *centroids = pg::allocate_aligned<float>(context, count * dims);
  for (uint32_t i = 0; i < count; ++i)
    relate(targets[i].centroid, reference, dims, centroids + i * dims);
  assigner_ = static_cast<RowAssigner *>(MemoryContextAlloc(context, sizeof(RowAssigner)));
  *assigner_ = RowAssigner(centroids, count, dims, context);
}

void Distributor::add_to(const PageRow &row, uint32_t target) {
  const Layout &layout = index_.layout();
  const size_t at = coded_.rows;
  waiting_[at] = {row.tid, row.anchor, target, row.untrained, row.scan_factors, row.refine_factors};
  std::copy_n(row.x, layout.rotated_dims, vectors_ + at * layout.rotated_dims);
  const size_t scan_bytes = quantize::scan_code_bytes(layout.rows);
  const size_t refine_bytes = quantize::refine_code_bytes(layout.rows);
  memcpy(scans_ + at * scan_bytes, row.scan, scan_bytes);
  memcpy(refines_ + at * refine_bytes, row.refine, refine_bytes);
  add_row(&coded_, row.x, scratch_);
  if (coded_.rows == capacity_) flush();
}

bool Distributor::survives(const Waiting &row, const float *x, const float *centroid) const {
  const quantize::ListShape &shape = index_.layout().rows;
  const double deviation =
      row.refine_factors.error / (shape.geometry == quantize::Geometry::kL2 ? 2.0 : 1.0);
  const double lost = deviation * deviation * (shape.dims - 1);
  return lost <= kMostLost * simd::kernels().l2_squared_f32(x, centroid, shape.dims);
}

// As pages will hold it: its own codes, or new ones in their place, whose errors include the old one's.
EncodedRow Distributor::encoded(uint32_t row) {
  const quantize::ListShape &shape = index_.layout().rows;
  Waiting &from = waiting_[row];
  const Target &target = targets_[from.target];
  const float *x = vectors_ + row * size_t{shape.dims};
  uint8_t *scan = scans_ + row * quantize::scan_code_bytes(shape);
  uint8_t *refine = refines_ + row * quantize::refine_code_bytes(shape);
  const float old_error = from.refine_factors.error;
  if (target.recode && survives(from, x, target.centroid)) {
    const EncodedRow made = encoder_.encode(x, target.centroid, target.list, from.tid);
    memcpy(scan, made.scan, quantize::scan_code_bytes(shape));
    memcpy(refine, made.refine, quantize::refine_code_bytes(shape));
    from.anchor = target.list;
    from.scan_factors = quantize::with_error(shape, made.scan_factors, old_error);
    from.refine_factors = quantize::with_error(shape, made.refine_factors, old_error);
  } else if (from.untrained) {
    const EncodedRow made =
        encoder_.encode(x, anchors_.decoded(from.anchor), from.anchor, from.tid);
    memcpy(scan, made.scan, quantize::scan_code_bytes(shape));
    from.scan_factors = quantize::with_error(shape, made.scan_factors, old_error);
  }
  return {from.tid, from.anchor, from.scan_factors, from.refine_factors, scan, refine};
}

void Distributor::append(Target *target, const uint32_t *rows, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    outgoing_[i] = encoded(rows[i]);
    const float error = from_bfloat16(outgoing_[i].scan_factors.error);
    target->squared_error += static_cast<double>(error) * error;
  }
  const BlockNumber open = read_list(index_, target->list, nullptr).open;
  // Nobody else closes lists.
  if (append_rows(index_, target->list, open, outgoing_, count) != count)
    report_corrupt(index_, open, "A list was closed while it took rows.");
  target->rows += count;
}

void Distributor::flush() {
  assigner_->nearest(coded_, matches_);
  for (uint32_t i = 0; i < coded_.rows; ++i) {
    order_[i] = i;
    if (waiting_[i].target == kAnyTarget)
      waiting_[i].target = std::min(matches_[i].list, target_count_ - 1);
  }
  // Rows of one anchor fill blocks together.
  std::sort(order_, order_ + coded_.rows, [this](uint32_t a, uint32_t b) {
    const Waiting &left = waiting_[a];
    const Waiting &right = waiting_[b];
    if (left.target != right.target) return left.target < right.target;
    return left.anchor != right.anchor ? left.anchor < right.anchor : a < b;
  });
  for (size_t begin = 0; begin < coded_.rows;) {
    pg::vacuum_delay();
    size_t end = begin;
    const uint32_t target = waiting_[order_[begin]].target;
    while (end < coded_.rows && waiting_[order_[end]].target == target) ++end;
    append(&targets_[target], order_ + begin, end - begin);
    begin = end;
  }
  coded_.rows = 0;
}

}  // namespace vann::ivfpq

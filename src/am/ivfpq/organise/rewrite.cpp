// rewrite.cpp — see rewrite.hpp. Locks: pages of the old list one at a time; those of append_rows() and
// add_entry(), one after another; at the end the old list's last page and, under it, those of retire_list().
#include "am/ivfpq/organise/rewrite.hpp"

#include "am/ivfpq/chain.hpp"
#include "am/ivfpq/unit_length.hpp"
#include "am/ivfpq/vacuum/recycle.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// Rows that centroids are trained on: so many per list, and at least.
constexpr uint64_t kSamplePerList = 128;
constexpr uint64_t kLeastSample = 4096;
// A list that has so much of the one that was divided cannot be divided.
constexpr double kIndivisibleShare = 0.9;
// Rows keep codes whose residuals are at most this much longer (squared) than against the new centroid.
constexpr double kKeepCodes = 1.3;

// A sample of the list's rows and what its new lists are made from.
struct Sample {
  CodedRows rows;
  float *vectors;  // [rows][dims]
  float *lengths;
  float *residuals;  // squared, against the anchors that the codes have now
};

size_t sampled_row_bytes(size_t dims) {
  return coded_row_bytes(dims) + (dims + 2) * sizeof(float) + 40;
}

// Fills in vectors, lengths and residuals; returns the number of rows.
size_t read_sample(Run *run, const SurveyedList &list, size_t size, Sample *sample) {
  const size_t dims = run->index.layout().rotated_dims;
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  const double step = std::max(1.0, static_cast<double>(list.rows) / static_cast<double>(size));
  double due = 0;
  double seen = 0;
  size_t count = 0;
  PageRow row;
  for (BlockNumber block = list.record.head; block != kNoBlock && count < size;) {
    block = reader.read(list.list, block, false);
    for (; count < size && reader.next(&row); ++seen) {
      if (seen < due) continue;
      due += step;
      std::copy_n(row.x, dims, sample->vectors + count * dims);
      sample->lengths[count] = std::sqrt(simd::kernels().dot_f32(row.x, row.x, dims));
      sample->residuals[count++] = row.residual_squared;
    }
  }
  return count;
}

const float *mean_of(const float *vectors, size_t rows, size_t dims, MemoryContext context) {
  float *mean = pg::allocate_aligned<float>(context, dims);
  double *sums = static_cast<double *>(MemoryContextAllocZero(context, dims * sizeof(double)));
  for (size_t i = 0; i < rows; ++i)
    for (size_t k = 0; k < dims; ++k) sums[k] += vectors[i * dims + k];
  for (size_t k = 0; k < dims; ++k)
    mean[k] = static_cast<float>(sums[k] / static_cast<double>(std::max<size_t>(rows, 1)));
  return mean;
}

Sample take_sample(Run *run, const SurveyedList &list, uint64_t wanted) {
  const size_t dims = run->index.layout().rotated_dims;
  const uint64_t room = size_t(maintenance_work_mem) * 512 / sampled_row_bytes(dims);
  const uint64_t size = std::max<uint64_t>(std::min({list.rows, wanted, room}), 1);
  Sample sample{{},
                pg::allocate_aligned<float>(run->list_context, size * dims),
                pg::allocate_aligned<float>(run->list_context, size),
                pg::allocate_aligned<float>(run->list_context, size)};
  const size_t rows = read_sample(run, list, size, &sample);
  const bool unit = run->index.cache->metric == Metric::kInnerProduct;
  sample.rows = allocate_rows(
      dims, size, unit ? nullptr : mean_of(sample.vectors, rows, dims, run->list_context),
      run->list_context);
  float *scratch = pg::allocate_aligned<float>(run->list_context, dims);
  for (size_t i = 0; i < rows; ++i) add_row(&sample.rows, sample.vectors + i * dims, scratch);
  return sample;
}

// What the sample says of each new list.
struct Share {
  double rows;
  double length;
  double old_squared;  // sums of squared residuals
  double new_squared;
};

// Makes centroids of what training has left, directions of the mean length of their rows, and tells where
// codes serve on.
void judge_centroids(Run *run, const Sample &sample, float *centroids, uint32_t count, bool recode,
                     Target *targets) {
  const size_t dims = run->index.layout().rotated_dims;
  const bool unit = run->index.cache->metric == Metric::kInnerProduct;
  cluster::Match *matches =
      pg::allocate_aligned<cluster::Match>(run->list_context, sample.rows.rows);
  RowAssigner(centroids, count, dims, run->list_context).nearest(sample.rows, matches);
  Share *shares =
      static_cast<Share *>(MemoryContextAllocZero(run->list_context, count * sizeof(Share)));
  for (size_t i = 0; i < sample.rows.rows; ++i) {
    Share &share = shares[std::min(matches[i].list, count - 1)];
    ++share.rows;
    share.length += sample.lengths[i];
    share.old_squared += sample.residuals[i];
    // Of unit vectors; once the centroid has the mean length, about the square of the lengths times that.
    const double length = unit ? sample.lengths[i] : 1.0;
    share.new_squared += matches[i].squared_distance * length * length;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const Share &share = shares[i];
    const double length = unit && share.rows > 0 ? share.length / share.rows : 1.0;
    for (size_t k = 0; k < dims; ++k)
      centroids[i * dims + k] = unit ? centroids[i * dims + k] * static_cast<float>(length)
                                     : centroids[i * dims + k] + sample.rows.reference[k];
    if (run->index.cache->metric == Metric::kCosine)
      to_unit_length(centroids + i * dims, run->index.cache->mean(), dims);
    targets[i].recode =
        recode || share.rows == 0 || share.old_squared > kKeepCodes * share.new_squared;
  }
}

uint32_t train_targets(Run *run, const SurveyedList &list, uint32_t wanted, uint32_t least,
                       bool recode, Rewritten *rewritten) {
  Target *targets = rewritten->targets;
  const size_t dims = run->index.layout().rotated_dims;
  const Sample sample = take_sample(run, list, std::max(kLeastSample, kSamplePerList * wanted));
  float *centroids = pg::allocate_aligned<float>(run->list_context, wanted * dims);
  const uint32_t count = train_centroids(sample.rows, wanted, centroids);
  rewritten->reference = sample.rows.reference;
  if (count < least || count == 0) return 0;
  judge_centroids(run, sample, centroids, count, recode, targets);
  for (uint32_t i = 0; i < count; ++i) {
    pg::vacuum_delay();
    offer_list_page(run->index, run->survey);
    targets[i].centroid = pg::allocate_aligned<float>(run->list_context, dims);
    targets[i].list =
        make_list(run->index, centroids + i * dims, 0, list.record.parent, targets[i].centroid);
  }
  return count;
}

// Other lists of the same directory list: scans read that at once, and so meet a row before it goes from
// one of its lists or after it has come to the other.
uint32_t find_neighbors(Run *run, const SurveyedList &list, uint32_t wanted, Target *targets) {
  const size_t dims = run->index.layout().rotated_dims;
  float *centroid = pg::allocate_aligned<float>(run->list_context, dims);
  read_list(run->index, list.list, centroid);
  run->directory.open(run->index, centroid, Route::kRow, run->context);
  uint32_t count = 0;
  RoutedList near;
  for (uint32_t tries = 0; count < wanted && tries < 2 * wanted + 1 && run->directory.next(&near);
       ++tries) {
    if (near.list == list.list) continue;
    Target &target = targets[count];
    target.centroid = pg::allocate_aligned<float>(run->list_context, dims);
    if (read_list(run->index, near.list, target.centroid).parent != list.record.parent) continue;
    target.list = near.list;
    target.recode = true;
    ++count;
  }
  return count;
}

// The centroid's length under the inner product, where it is the mean length of the rows.
float norm_of(const Index &index, const float *centroid) {
  if (index.cache->metric != Metric::kInnerProduct) return 0;
  return std::sqrt(simd::kernels().dot_f32(centroid, centroid, index.layout().rotated_dims));
}

void note_rows(const Index &index, const Target &target, bool indivisible) {
  const ListPage page(index, target.list, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(index.relation);
  ListRecord &record = page.list_in_copy(edit.modify(page.page())).record();
  note_written(&record, target.rows, target.squared_error, norm_of(index, target.centroid));
  if (indivisible) record.flags |= kIndivisible;
  edit.commit();
}

void publish(Run *run, const SurveyedList &list, const Rewritten &rewritten) {
  for (uint32_t i = 0; i < rewritten.made; ++i) {
    pg::vacuum_delay();
    const double rows = static_cast<double>(rewritten.targets[i].rows);
    note_rows(run->index, rewritten.targets[i],
              rewritten.made > 1 && rows > kIndivisibleShare * static_cast<double>(list.rows));
    add_entry(run->index, list.record.parent, rewritten.targets[i].list, list.list);
  }
}

// Takes the list out of the directory if `block` still is its last page; else the next page is to be
// copied first.
BlockNumber retire_or_next(Run *run, const SurveyedList &list, BlockNumber block) {
  const pg::LockedPage tail =
      lock_swept(run->index, list.list, block, BUFFER_LOCK_EXCLUSIVE, run->strategy);
  const BlockNumber next = scan_header(const_cast<const uint8_t *>(tail.bytes())).next;
  if (next == kNoBlock) retire_list(run->index, list.list, tail);
  return next;
}

// Rows go over page by page. Behind the last page the new lists enter the directory: from then on few
// rows come to the old one, on pages that are copied in turn until none has been added.
void move_rows(Run *run, const SurveyedList &list, const Rewritten &rewritten) {
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  Distributor distributor;
  distributor.init(run->index, rewritten.targets, rewritten.count, rewritten.reference, list.rows,
                   run->list_context);
  bool published = false;
  PageRow row;
  for (BlockNumber block = list.record.head; block != kNoBlock;) {
    BlockNumber next = reader.read(list.list, block, true);
    while (reader.next(&row)) distributor.add(row);
    if (next == kNoBlock) {
      distributor.flush();
      if (!published) publish(run, list, rewritten);
      published = true;
      next = retire_or_next(run, list, block);
    }
    block = next;
  }
}

}  // namespace

Rewritten rewrite_list(Run *run, const SurveyedList &list, uint32_t wanted, uint32_t least,
                       uint32_t neighbors, bool recode) {
  MemoryContextReset(run->list_context);
  Target *targets = static_cast<Target *>(
      MemoryContextAllocZero(run->list_context, (size_t{wanted} + neighbors + 1) * sizeof(Target)));
  Rewritten rewritten{targets, 0, 0, nullptr};
  if (wanted > 0) {
    rewritten.made = train_targets(run, list, wanted, least, recode, &rewritten);
    if (rewritten.made == 0) return rewritten;
  } else if (run->index.cache->metric != Metric::kInnerProduct) {
    float *centroid =
        pg::allocate_aligned<float>(run->list_context, run->index.layout().rotated_dims);
    read_list(run->index, list.list, centroid);
    rewritten.reference = centroid;
  }
  rewritten.count = rewritten.made;
  if (neighbors > 0)
    rewritten.count += find_neighbors(run, list, neighbors, targets + rewritten.made);
  if (rewritten.count > 0) move_rows(run, list, rewritten);
  return rewritten;
}

}  // namespace vann::ivfpq

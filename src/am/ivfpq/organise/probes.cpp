// probes.cpp — measures how many lists a scan has to read. Locks: one page at a time, shared; the metapage in
// the end.
#include "am/ivfpq/organise/retrain.hpp"

#include "pg/compat.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

constexpr uint64_t kLeastRows = 1000;
constexpr uint64_t kLeastChange = 2;  // times more rows, or fewer
constexpr uint64_t kSamples = 64;
constexpr size_t kNearest = 10;
constexpr double kFound = 0.95;

// A row of the index and the rows nearest to it so far.
struct SampleRow {
  float *x;
  HeapTid tid;
  struct Near {
    float distance;
    uint32_t list;
    friend bool operator<(const Near &a, const Near &b) { return a.distance < b.distance; }
  } near[kNearest];
  size_t count;
};

void take_sample(Run *run, const Array<uint32_t> &lists, uint64_t rows, Array<SampleRow> *sample) {
  const size_t dims = run->index.layout().rotated_dims;
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  const Allocator allocator = pg::allocator_in(run->list_context);
  const double step = std::max(1.0, static_cast<double>(rows) / static_cast<double>(kSamples));
  double due = step / 2;
  double seen = 0;
  PageRow row;
  for (const uint32_t list : lists) {
    for (BlockNumber block = read_list(run->index, list, nullptr).head;
         block != kNoBlock && sample->size < kSamples;) {
      block = reader.read(list, block, false);
      for (; sample->size < kSamples && reader.next(&row); ++seen) {
        if (seen < due) continue;
        due += step;
        SampleRow taken{pg::allocate_aligned<float>(run->list_context, dims), row.tid, {}, 0};
        std::copy_n(row.x, dims, taken.x);
        sample->push(allocator, taken);
      }
    }
  }
}

void offer(SampleRow *sample, float distance, uint32_t list) {
  if (sample->count < kNearest) {
    sample->near[sample->count++] = {distance, list};
    std::push_heap(sample->near, sample->near + sample->count);
  } else if (distance < sample->near[0].distance) {
    std::pop_heap(sample->near, sample->near + kNearest);
    sample->near[kNearest - 1] = {distance, list};
    std::push_heap(sample->near, sample->near + kNearest);
  }
}

void compare_all(Run *run, const Array<uint32_t> &lists, Array<SampleRow> *sample) {
  const size_t dims = run->index.layout().rotated_dims;
  const bool product = run->index.cache->metric == Metric::kInnerProduct;
  PageReader reader;
  reader.init(run->index, run->strategy, run->list_context);
  PageRow row;
  for (const uint32_t list : lists) {
    for (BlockNumber block = read_list(run->index, list, nullptr).head; block != kNoBlock;) {
      block = reader.read(list, block, false);
      while (reader.next(&row)) {
        for (SampleRow &query : *sample) {
          if (query.tid == row.tid) continue;
          offer(&query,
                product ? -simd::kernels().dot_f32(query.x, row.x, dims)
                        : simd::kernels().l2_squared_f32(query.x, row.x, dims),
                list);
        }
      }
    }
  }
}

// Pushes for each near row as the how manieth list a scan for the sample row comes to its list.
void rank_lists(Run *run, const SampleRow &query, Array<uint32_t> *ranks) {
  const Allocator allocator = pg::allocator_in(run->list_context);
  run->directory.open(run->index, query.x, Route::kQuery, run->context);
  size_t left = query.count;
  RoutedList list;
  for (uint32_t rank = 1; left > 0 && run->directory.next(&list); ++rank) {
    for (size_t i = 0; i < query.count; ++i) {
      if (query.near[i].list != list.list) continue;
      ranks->push(allocator, rank);
      --left;
    }
  }
}

}  // namespace

bool probes_are_due(const Index &index, uint64_t rows) {
  const uint64_t then = index.meta.trained_rows;
  return rows >= kLeastRows &&
         (index.meta.probes == 0 || rows >= kLeastChange * then || rows * kLeastChange <= then);
}

void measure_probes(Run *run, const Array<uint32_t> &lists, uint64_t rows, double squared_error) {
  MemoryContextReset(run->list_context);
  Array<SampleRow> sample;
  take_sample(run, lists, rows, &sample);
  compare_all(run, lists, &sample);
  Array<uint32_t> ranks;
  for (const SampleRow &query : sample) {
    pg::vacuum_delay();
    rank_lists(run, query, &ranks);
  }
  if (ranks.size == 0) return;
  const size_t last =
      std::min(ranks.size - 1, static_cast<size_t>(kFound * static_cast<double>(ranks.size)));
  std::nth_element(ranks.begin(), ranks.begin() + last, ranks.end());

  const pg::LockedPage page(run->index.relation, kMetaBlock, BUFFER_LOCK_EXCLUSIVE);
  pg::PageEdit edit(run->index.relation);
  MetaPage *meta = meta_of(edit.modify(page));
  meta->probes = ranks[last];
  meta->trained_rows = rows;
  meta->trained_error = static_cast<float>(squared_error);
  edit.commit();
}

}  // namespace vann::ivfpq

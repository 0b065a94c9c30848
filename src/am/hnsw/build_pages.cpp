// build_pages.cpp — encodes records on several threads and writes their pages in order.
#include "am/hnsw/build_pages.hpp"

#include "am/hnsw/edges.hpp"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
}

#include <algorithm>

namespace vann::hnsw {

namespace {

constexpr uint32_t kPagesPerBatch = 512;

// Where everything goes: records are numbered in the order in which they are written.
struct Plan {
  const BuildRows *rows;
  const LevelGraphs *graphs;
  const IndexCache *cache;
  uint32_t first_record;      // record id of record number 0
  uint32_t n_levels;
  uint32_t *level_start;      // [n_levels + 1] number of the first record of each level
  uint32_t **position_at;     // [n_levels][size]: rank in page order -> position in the level's graph
  uint32_t **rank_of;         // [n_levels][size]: position -> rank
  uint32_t **position_below;  // [n_levels][size]: position -> position one level below; level 0: null
  uint32_t *tid_record;       // [elements]: number of the element's first kTids record, or kNoRecord
  uint32_t tid_records_start;
  uint32_t *tid_record_element;  // [tid records]
  uint32_t total;

  const Layout &layout() const { return cache->layout; }
  uint32_t record_at(uint32_t level, uint32_t position) const {
    return first_record + level_start[level] + rank_of[level][position];
  }
};

uint32_t *allocate_words(MemoryContext context, size_t count) {
  return static_cast<uint32_t *>(
      MemoryContextAllocHuge(context, (count + 1) * sizeof(uint32_t)));
}

uint32_t tid_records_for(const Plan &plan, uint32_t element) {
  const size_t tids = plan.rows->tid_count(element);
  if (tids <= kInlineTids) return 0;
  const uint32_t capacity = plan.layout().tids_capacity();
  return static_cast<uint32_t>((tids - kInlineTids + capacity - 1) / capacity);
}

void number_levels(Plan *plan, MemoryContext context) {
  plan->n_levels = static_cast<uint32_t>(plan->graphs->levels.size());
  plan->level_start = allocate_words(context, plan->n_levels);
  const size_t pointers = plan->n_levels * sizeof(uint32_t *);
  plan->position_at = static_cast<uint32_t **>(MemoryContextAlloc(context, pointers));
  plan->rank_of = static_cast<uint32_t **>(MemoryContextAlloc(context, pointers));
  plan->position_below = static_cast<uint32_t **>(MemoryContextAllocZero(context, pointers));
  uint32_t next = 0;
  for (uint32_t level = 0; level < plan->n_levels; ++level) {
    const LevelGraph &graph = plan->graphs->levels[level];
    const size_t size = graph.graph.rows;
    plan->level_start[level] = next;
    plan->position_at[level] = allocate_words(context, size);
    plan->rank_of[level] = allocate_words(context, size);
    for (uint32_t rank = 0; rank < size; ++rank) {
      plan->position_at[level][rank] = graph.graph.order[rank];
      plan->rank_of[level][graph.graph.order[rank]] = rank;
    }
    next += static_cast<uint32_t>(size);
    if (level == 0) continue;
    // Members of a level are an ascending subsequence of the level below.
    const LevelGraph &below = plan->graphs->levels[level - 1];
    plan->position_below[level] = allocate_words(context, size);
    uint32_t at = 0;
    for (uint32_t position = 0; position < size; ++position) {
      while (below.element(at) != graph.element(position)) ++at;
      plan->position_below[level][position] = at;
    }
  }
  plan->level_start[plan->n_levels] = next;
}

void number_tid_records(Plan *plan, MemoryContext context) {
  const uint32_t elements = static_cast<uint32_t>(plan->rows->elements());
  plan->tid_records_start = plan->level_start[plan->n_levels];
  plan->tid_record = allocate_words(context, elements);
  uint32_t next = plan->tid_records_start;
  for (uint32_t element = 0; element < elements; ++element) {
    const uint32_t records = tid_records_for(*plan, element);
    plan->tid_record[element] = records == 0 ? kNoRecord : next;
    next += records;
  }
  plan->total = next;
  plan->tid_record_element = allocate_words(context, next - plan->tid_records_start);
  for (uint32_t element = 0; element < elements; ++element)
    for (uint32_t i = 0; i < tid_records_for(*plan, element); ++i)
      plan->tid_record_element[plan->tid_record[element] - plan->tid_records_start + i] = element;
}

// A worker's decoded vectors: the parent and one neighbor.
struct Scratch {
  float *parent;
  float *neighbor;
};

void write_inline_tids(const Plan &plan, uint32_t element, RecordHeader *header) {
  plan.rows->for_each_tid(element, [&](const HeapTid &tid) {
    if (header->tid_count < kInlineTids) header->tids[header->tid_count++] = tid;
  });
  if (plan.tid_record[element] != kNoRecord)
    header->chain = plan.first_record + plan.tid_record[element];
}

void write_edges(const Plan &plan, uint32_t level, uint32_t position, const Scratch &scratch,
                 Record record) {
  const Layout &layout = plan.layout();
  const LevelGraph &graph = plan.graphs->levels[level];
  const size_t stride = quantize::padded_dims(layout.shape.dims);
  decode_record(ConstRecord(record.data(), layout), scratch.parent);
  const uint32_t *neighbors = graph.graph.neighbors.data() + size_t{plan.rank_of[level][position]} * layout.degree;
  uint8_t code[kPageBytes / 32];
  uint16_t count = 0;
  for (; count < layout.degree && neighbors[count] != build::kNoRow; ++count) {
    const uint32_t neighbor = graph.graph.order[neighbors[count]];
    const uint32_t element = graph.element(neighbor);
    quantize::decode_bytes(plan.rows->values() + element * stride,
                           plan.rows->codes()[element].factors, layout.shape.dims,
                           scratch.neighbor);
    put_edge(record, count,
             encode_edge(layout, scratch.parent, scratch.neighbor,
                         plan.record_at(level, neighbor), 0, code));
  }
  record.header().neighbor_count = count;
}

void write_element(const Plan &plan, uint32_t level, uint32_t position, const Scratch &scratch,
                   Record record) {
  const Layout &layout = plan.layout();
  const quantize::CodeShape &shape = layout.shape;
  const uint32_t element = plan.graphs->levels[level].element(position);
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kLive);
  header.level = static_cast<uint8_t>(level);
  header.chain = kNoRecord;
  header.element = kNoRecord;
  if (level == 0) {
    write_inline_tids(plan, element, &header);
  } else {
    header.chain = plan.record_at(level - 1, plan.position_below[level][position]);
    header.element = plan.record_at(0, element);
  }
  header.factors = quantize::encode_planes(
      plan.rows->values() + element * quantize::padded_dims(shape.dims),
      plan.rows->codes()[element], shape.dims, shape.code_bits, record.code());
  write_edges(plan, level, position, scratch, record);
}

// The i-th kTids record of an element: its TIDs beyond the inline ones and those of earlier records.
void write_tids(const Plan &plan, uint32_t number, Record record) {
  const uint32_t element = plan.tid_record_element[number - plan.tid_records_start];
  const uint32_t capacity = plan.layout().tids_capacity();
  const uint32_t first = kInlineTids + (number - plan.tid_record[element]) * capacity;
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kTids);
  header.element = plan.record_at(0, element);
  const bool last = number + 1 == plan.total ||
                    plan.tid_record_element[number + 1 - plan.tid_records_start] != element;
  header.chain = last ? kNoRecord : plan.first_record + number + 1;
  uint32_t at = 0;
  plan.rows->for_each_tid(element, [&](const HeapTid &tid) {
    if (at >= first && at < first + capacity)
      record.chained_tids()[record.tids_header().count++] = tid;
    ++at;
  });
}

void write_record(const Plan &plan, uint32_t number, const Scratch &scratch, Record record) {
  if (number >= plan.tid_records_start) {
    write_tids(plan, number, record);
    return;
  }
  uint32_t level = 0;
  while (number >= plan.level_start[level + 1]) ++level;
  const uint32_t rank = number - plan.level_start[level];
  write_element(plan, level, plan.position_at[level][rank], scratch, record);
}

struct Batch {
  const Plan *plan;
  uint8_t *pages;
  uint32_t first_page;  // of the record pages
  uint32_t page_count;
  unsigned threads;
  Scratch *scratch;  // [threads]
};

void fill_batch(void *argument) {
  const Batch &batch = *static_cast<Batch *>(argument);
  const Plan &plan = *batch.plan;
  const uint32_t slots = plan.layout().slots;
  BackendMonitor monitor;
  parallel::Team team(batch.threads, monitor);
  parallel::Loop loop;
  loop.stage = static_cast<int>(build::Stage::kCount);
  loop.items = batch.page_count;
  loop.chunk = 4;
  loop.done_before = batch.first_page;
  loop.stage_total = (plan.total + slots - 1) / slots;
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t page = begin; page < end; ++page)
      for (uint32_t slot = 0; slot < slots; ++slot) {
        const uint32_t number =
            (batch.first_page + static_cast<uint32_t>(page)) * slots + slot;
        if (number < plan.total)
          write_record(plan, number, batch.scratch[worker.index()],
                       record_in(batch.pages + page * kPageBytes, slot, plan.layout()));
      }
  });
}

void write_batches(const Plan &plan, unsigned threads, MemoryContext context,
                   pg::BulkWriter *writer) {
  Scratch *scratch =
      static_cast<Scratch *>(MemoryContextAlloc(context, threads * sizeof(Scratch)));
  for (unsigned i = 0; i < threads; ++i)
    scratch[i] = {pg::allocate_aligned<float>(context, plan.layout().shape.dims),
                  pg::allocate_aligned<float>(context, plan.layout().shape.dims)};
  uint8_t *pages = pg::allocate_aligned<uint8_t, pg::kIoAlignment>(
      context, size_t{kPagesPerBatch} * kPageBytes);
  const uint32_t n_pages = (plan.total + plan.layout().slots - 1) / plan.layout().slots;
  for (uint32_t first = 0; first < n_pages; first += kPagesPerBatch) {
    CHECK_FOR_INTERRUPTS();
    Batch batch{&plan, pages, first, std::min(kPagesPerBatch, n_pages - first), threads, scratch};
    for (uint32_t page = 0; page < batch.page_count; ++page)
      init_page(pages + size_t{page} * kPageBytes, kRecordPage);
    run_core(fill_batch, &batch);
    writer->append(pages, batch.page_count);
  }
}

}  // namespace

EntryPoint write_record_pages(const BuildRows &rows, const LevelGraphs &graphs,
                              const IndexCache &cache, unsigned threads, MemoryContext context,
                              pg::BulkWriter *writer) {
  Plan plan{};
  plan.rows = &rows;
  plan.graphs = &graphs;
  plan.cache = &cache;
  plan.first_record = cache.first_record_block * cache.layout.slots;
  number_levels(&plan, context);
  number_tid_records(&plan, context);
  write_batches(plan, threads, context, writer);
  const uint32_t top = plan.n_levels - 1;
  const build::Graph &graph = graphs.levels[top].graph;
  return {plan.record_at(top, graph.order[graph.entry]), static_cast<int>(top), 0};
}

}  // namespace vann::hnsw

// pages.cpp — encodes records on several threads and writes their pages in order. Records are
// numbered in the order in which they are written: level by level as core has them, then the kTids
// records of elements, ascending. Number + first_record is the record's id.
#include "am/hnsw/build/pages.hpp"

#include "am/hnsw/edges.hpp"
#include "core/parallel/team.hpp"
#include "pg/bulk_writer.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>
#include <stdexcept>

namespace vann::hnsw {

namespace {

constexpr uint32_t kPagesPerBatch = 512;
// Keys of an element beyond its first that its record at level 0 holds.
constexpr uint32_t kInlineFurther = kInlineTids - 1;

// A thread's decoded vectors: the parent and one neighbor.
struct Scratch {
  float *parent;
  float *neighbor;
};

// The batch of pages that is being filled, and where everything goes.
struct Output {
  const BuildGraph *graph;
  const Layout *layout;
  uint32_t first_record;
  uint32_t n_levels;
  uint32_t
      level_start[kMaxLevel + 2];  // number of each level's first record; then of kTids records
  unsigned threads;
  Scratch *scratch;  // [threads]
  uint8_t *pages;    // [kPagesPerBatch]
  uint32_t batch;    // number of the first record in the pages
  uint32_t next;     // of the first record not yet written

  uint32_t id(uint32_t level, uint32_t number) const {
    return first_record + level_start[level] + number;
  }
  uint32_t room() const { return batch + kPagesPerBatch * layout->slots - next; }
  Record record(uint32_t number) const {
    const uint32_t at = number - batch;
    return record_in(pages + size_t{at / layout->slots} * kPageBytes, at % layout->slots, *layout);
  }
};

void clear_pages(const Output &out) {
  for (uint32_t page = 0; page < kPagesPerBatch; ++page)
    init_page(out.pages + size_t{page} * kPageBytes, kPageId, kRecordPage);
}

// Writes the pages that have records.
void flush(Output *out, const PageSink &sink) {
  CHECK_FOR_INTERRUPTS();
  const uint32_t slots = out->layout->slots;
  sink.append(sink.state, out->pages, (out->next - out->batch + slots - 1) / slots);
  out->batch = out->next;
  clear_pages(*out);
}

// ---- Elements -------------------------------------------------------------------------------------

// Further keys of elements, in step with the elements of level 0.
struct FurtherKeys {
  bool any;  // element and count are set
  uint32_t element;
  uint64_t count;
  uint32_t next_record;  // number of the next kTids record

  void advance(bulk::Duplicates &duplicates) { any = duplicates.next(&element, &count); }
};

// Rows of a level that are in memory, some of which go into the batch now.
struct Piece {
  Output *out;
  uint32_t level;
  const bulk::Stretch *stretch;
  uint32_t begin;  // numbers on the level
  uint32_t end;
  FurtherKeys *further;
};

void write_edges(const Piece &piece, uint32_t number, const Scratch &scratch, Record record) {
  const Layout &layout = *piece.out->layout;
  const bulk::Stretch &stretch = *piece.stretch;
  decode_record(ConstRecord(record.data(), layout), scratch.parent);
  const uint32_t *neighbors = stretch.neighbors(number);
  uint8_t code[kPageBytes / 32];
  uint16_t count = 0;
  for (; count < layout.degree && neighbors[count] != build::kNoRow; ++count) {
    quantize::decode_bytes(stretch.values(neighbors[count]), stretch.code(neighbors[count]).factors,
                           layout.shape.dims, scratch.neighbor);
    put_edge(record, count,
             encode_edge(layout, scratch.parent, scratch.neighbor,
                         piece.out->id(piece.level, neighbors[count]), 0, code));
  }
  record.header().neighbor_count = count;
}

void write_element(const Piece &piece, uint32_t number, const Scratch &scratch) {
  const Output &out = *piece.out;
  const quantize::CodeShape &shape = out.layout->shape;
  bulk::IndexBuild &build = out.graph->core();
  const Record record = out.record(out.level_start[piece.level] + number);
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kLive);
  header.level = static_cast<uint8_t>(piece.level);
  header.chain = kNoRecord;
  header.element = kNoRecord;
  if (piece.level == 0) {
    header.tids[0] = am::heap_tid(piece.stretch->key(number));
    header.tid_count = 1;
  } else {
    const uint32_t element = build.level(piece.level).element(number);
    header.chain = out.id(piece.level - 1, build.level(piece.level - 1).number_of(element));
    header.element = out.id(0, element);
  }
  header.factors =
      quantize::encode_planes(piece.stretch->values(number), piece.stretch->code(number),
                              shape.dims, shape.code_bits, record.code());
  write_edges(piece, number, scratch, record);
}

// How many kTids records `count` further keys need.
uint64_t tid_records(uint64_t count, uint32_t capacity) {
  return count <= kInlineFurther ? 0 : (count - kInlineFurther + capacity - 1) / capacity;
}

// Puts further keys into the piece's records, and the numbers of the kTids records to come.
void write_further_keys(const Piece &piece) {
  const Output &out = *piece.out;
  bulk::Duplicates &duplicates = out.graph->core().duplicates();
  FurtherKeys &further = *piece.further;
  for (; further.any && further.element < piece.end; further.advance(duplicates)) {
    RecordHeader &header = out.record(further.element).header();
    bulk::RowKey keys[kInlineFurther];
    const uint64_t inlined = std::min<uint64_t>(further.count, kInlineFurther);
    duplicates.read(keys, inlined);
    for (uint64_t i = 0; i < inlined; ++i) header.tids[header.tid_count++] = am::heap_tid(keys[i]);
    const uint64_t records = tid_records(further.count, out.layout->tids_capacity());
    if (records == 0) continue;
    if (out.first_record + further.next_record + records >= kNoRecord)
      throw std::length_error("too many rows for one index");
    header.chain = out.first_record + further.next_record;
    further.next_record += static_cast<uint32_t>(records);
  }
}

void fill_piece(void *argument) {
  const Piece &piece = *static_cast<Piece *>(argument);
  const Output &out = *piece.out;
  am::BackendMonitor monitor(out.graph->shown(), kPhasePartition);
  parallel::Team team(out.threads, monitor);
  parallel::Loop loop;
  loop.stage = static_cast<int>(build::Stage::kCount);
  loop.items = piece.end - piece.begin;
  loop.chunk = 4 * out.layout->slots;
  loop.done_before = out.next;
  loop.stage_total = out.level_start[out.n_levels];
  team.run(loop, [&](parallel::Worker &worker, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i)
      write_element(piece, piece.begin + static_cast<uint32_t>(i), out.scratch[worker.index()]);
  });
  if (piece.level == 0) write_further_keys(piece);
}

void load_stretch(void *argument) {
  Piece *piece = static_cast<Piece *>(argument);
  bulk::Level &level = piece->out->graph->core().level(piece->level);
  if (piece->level == 0 && piece->begin == 0) {
    bulk::Duplicates &duplicates = piece->out->graph->core().duplicates();
    duplicates.rewind();
    piece->further->advance(duplicates);
  }
  piece->stretch = &level.load(piece->begin, level.rows() - piece->begin);
}

// A stretch may fill many batches, or not even one.
void write_level(Output *out, uint32_t level, FurtherKeys *further, const PageSink &sink) {
  const uint32_t rows = out->graph->core().level(level).rows();
  Piece piece{out, level, nullptr, 0, 0, further};
  while (piece.begin < rows) {
    out->graph->run(load_stretch, &piece);
    while (piece.begin < piece.stretch->end) {
      piece.end = piece.begin + std::min(out->room(), piece.stretch->end - piece.begin);
      out->graph->run(fill_piece, &piece);
      out->next += piece.end - piece.begin;
      piece.begin = piece.end;
      if (out->room() == 0) flush(out, sink);
    }
  }
}

// ---- Further TIDs ---------------------------------------------------------------------------------

// The element whose keys are written, by a second pass over the duplicates.
struct Chain {
  Output *out;
  bulk::RowKey *keys;  // [tids_capacity()] of one record
  uint32_t element;
  uint64_t left;  // keys not yet written
  bool end;
};

// On to the next element that has keys beyond the inline ones.
void next_chain(Chain *chain, bulk::Duplicates &duplicates) {
  uint64_t count = 0;
  do {
    if (!duplicates.next(&chain->element, &count)) {
      chain->end = true;
      return;
    }
  } while (count <= kInlineFurther);
  duplicates.read(chain->keys, kInlineFurther);
  chain->left = count - kInlineFurther;
}

void write_tids(Chain *chain, bulk::Duplicates &duplicates) {
  Output &out = *chain->out;
  const Record record = out.record(out.next);
  const uint32_t count =
      static_cast<uint32_t>(std::min<uint64_t>(chain->left, out.layout->tids_capacity()));
  duplicates.read(chain->keys, count);
  for (uint32_t i = 0; i < count; ++i) record.chained_tids()[i] = am::heap_tid(chain->keys[i]);
  record.tids_header().count = count;
  chain->left -= count;
  ++out.next;
  RecordHeader &header = record.header();
  header.state = static_cast<uint8_t>(State::kTids);
  header.element = out.id(0, chain->element);
  header.chain = chain->left == 0 ? kNoRecord : out.first_record + out.next;
}

// Fills what is left of the batch.
void fill_tids(void *argument) {
  Chain *chain = static_cast<Chain *>(argument);
  bulk::Duplicates &duplicates = chain->out->graph->core().duplicates();
  while (!chain->end && chain->out->room() > 0) {
    if (chain->left == 0) next_chain(chain, duplicates);
    if (!chain->end) write_tids(chain, duplicates);
  }
}

void rewind(void *build) { static_cast<bulk::IndexBuild *>(build)->duplicates().rewind(); }

void write_tid_records(Output *out, MemoryContext context, const PageSink &sink) {
  out->graph->run(rewind, &out->graph->core());
  Chain chain{out, nullptr, 0, 0, false};
  chain.keys = static_cast<bulk::RowKey *>(
      MemoryContextAlloc(context, out->layout->tids_capacity() * sizeof(bulk::RowKey)));
  while (!chain.end) {
    out->graph->run(fill_tids, &chain);
    if (out->room() == 0) flush(out, sink);
  }
}

Output make_output(const BuildGraph &graph, const IndexCache &cache, unsigned threads,
                   MemoryContext context) {
  Output out{};
  out.graph = &graph;
  out.layout = &cache.layout;
  out.first_record = cache.first_record_block * cache.layout.slots;
  out.n_levels = static_cast<uint32_t>(graph.core().levels());
  for (uint32_t level = 0; level < out.n_levels; ++level)
    out.level_start[level + 1] = out.level_start[level] + graph.core().level(level).rows();
  out.threads = threads;
  out.scratch = static_cast<Scratch *>(MemoryContextAlloc(context, threads * sizeof(Scratch)));
  for (unsigned i = 0; i < threads; ++i)
    out.scratch[i] = {pg::allocate_aligned<float>(context, cache.layout.shape.dims),
                      pg::allocate_aligned<float>(context, cache.layout.shape.dims)};
  out.pages =
      pg::allocate_aligned<uint8_t, pg::kIoAlignment>(context, size_t{kPagesPerBatch} * kPageBytes);
  clear_pages(out);
  return out;
}

}  // namespace

EntryPoint write_record_pages(const BuildGraph &graph, const IndexCache &cache, unsigned threads,
                              MemoryContext context, const PageSink &sink) {
  Output out = make_output(graph, cache, threads, context);
  FurtherKeys further{false, 0, 0, out.level_start[out.n_levels]};
  for (uint32_t level = 0; level < out.n_levels; ++level) write_level(&out, level, &further, sink);
  if (further.next_record > out.level_start[out.n_levels]) write_tid_records(&out, context, sink);
  if (out.next > out.batch) flush(&out, sink);
  const uint32_t top = out.n_levels - 1;
  return {out.id(top, graph.core().level(top).entry()), static_cast<int>(top), 0};
}

size_t writer_bytes(const Layout &layout, unsigned threads) {
  constexpr size_t kBatch = size_t{kPagesPerBatch} * kPageBytes + pg::kIoAlignment;
  return kBatch + threads * 2 * layout.shape.dims * sizeof(float) +
         layout.tids_capacity() * sizeof(bulk::RowKey);
}

}  // namespace vann::hnsw

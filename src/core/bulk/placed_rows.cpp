// placed_rows.cpp — sample, cells, a pass that sends each row to the file of its nearest cell's
// neighborhood, and one over these that collapses and numbers.
#include "core/bulk/placed_rows.hpp"

#include <algorithm>
#include <numeric>

#include "core/build/entry.hpp"
#include "core/build/pivots.hpp"
#include "core/bulk/row_store.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr int kStage = static_cast<int>(build::Stage::kPartition);

// Progress counts rows: those assigned to cells, those distributed, those numbered.
constexpr uint64_t kPasses = 3;

template <class Visit>
void for_each_chunk(RowFile &file, size_t chunk, RowBlock &block, Visit &&visit) {
  for (size_t first = 0; first < file.rows(); first += chunk) {
    file.read(first, std::min(chunk, file.rows() - first), block);
    visit(first);
  }
}

// ---- Cells -----------------------------------------------------------------------------------

// Rows whose keys hash low: the same ones wherever they lie.
RowBlock take_sample(RowFile &arrivals, const Context &context) {
  const double share = static_cast<double>(context.plan.sample_rows) /
                       static_cast<double>(std::max<size_t>(1, arrivals.rows()));
  const uint64_t below = share >= 1 ? UINT64_MAX : static_cast<uint64_t>(share * 0x1p64);
  // Room for more than chance brings: what did not fit would depend on the order of the rows.
  RowStore sample(context.params.dims, context.plan.sample_rows * 2);
  RowBlock chunk(context.params.dims);
  for_each_chunk(arrivals, context.plan.chunk_rows, chunk, [&](size_t) {
    context.team.poll(kStage, 0, kPasses * arrivals.rows());
    for (size_t i = 0; i < chunk.size(); ++i) {
      if (build::Random(context.params.graph.seed, chunk.key(i)).next() <= below)
        sample.add(chunk.key(i), chunk.code(i), chunk.values(i));
    }
  });
  RowBlock sorted(context.params.dims);
  sorted.resize(sample.size());
  size_t at = 0;
  for (const uint32_t row : sample.by_key()) {
    sorted.key(at) = sample.key(row);
    sorted.code(at) = sample.code(row);
    std::copy_n(sample.values(row), sorted.stride(), sorted.values(at));
    ++at;
  }
  return sorted;
}

class Cells {
 public:
  Cells(RowFile &arrivals, const Context &context)
      : context_(context), scratch_(context.team.threads()) {
    const RowBlock sample = take_sample(arrivals, context);
    const build::VectorSet set = sample.set();
    const build::RowView view(set, nullptr, set.rows);
    std::vector<uint32_t> ids(set.rows);
    std::iota(ids.begin(), ids.end(), 0u);
    build::Random random(context.params.graph.seed, 0);
    pivots_.choose(view, ids, std::min(context.plan.pivots, ids.size()), random);
    pivots_.move_to_means(view, ids, assign(view, ids, 1));
    pivots_.arrange(view, scratch_[0]);
    mean_ = build::mean_row(view);
  }

  size_t size() const noexcept { return pivots_.size(); }
  size_t fanout() const noexcept {
    return std::min<size_t>(context_.params.graph.fanout, pivots_.size());
  }
  const build::MeanRow &mean() const noexcept { return mean_; }

  // [rows][fanout], nearest first; kNoCell in slots that are left.
  std::vector<uint16_t> assign(const RowBlock &rows) {
    const build::VectorSet set = rows.set();
    std::vector<uint32_t> ids(set.rows);
    std::iota(ids.begin(), ids.end(), 0u);
    return assign(build::RowView(set, nullptr, set.rows), ids, fanout());
  }

 private:
  std::vector<uint16_t> assign(const build::RowView &view, std::span<const uint32_t> ids,
                               size_t fanout) {
    return build::assign_rows(view, pivots_, ids, fanout, ids.size(), scratch_, context_.team);
  }

  const Context &context_;
  std::vector<build::PivotScratch> scratch_;
  build::Pivots pivots_;
  build::MeanRow mean_;
};

// Consecutive cells whose counts add up to at most `most`, or single ones: the number of the stretch
// that each cell is in.
std::vector<uint32_t> stretches_of(std::span<const size_t> counts, size_t most, size_t *stretches) {
  std::vector<uint32_t> stretch_of(counts.size());
  size_t sum = 0;
  *stretches = counts.empty() ? 0 : 1;
  for (size_t cell = 0; cell < counts.size(); ++cell) {
    if (sum > 0 && sum + counts[cell] > most) {
      sum = 0;
      ++*stretches;
    }
    sum += counts[cell];
    stretch_of[cell] = static_cast<uint32_t>(*stretches - 1);
  }
  return stretch_of;
}

// ---- Distribution ----------------------------------------------------------------------------

// Rows whose nearest cells are consecutive, and all cells of each.
struct Range {
  RowFile rows;
  spill::BufferedFile cells;  // [rows][fanout]
};

Range make_range(const Context &context) {
  return {RowFile(context.space.create(), context.params.dims, context.plan.buffer_bytes),
          {context.space.create(), context.plan.buffer_bytes / 4}};
}

struct Distribution {
  std::vector<Range> ranges;
  std::vector<uint32_t> bundle_of;  // [cells]
  size_t bundles = 0;
};

Distribution distribute(std::unique_ptr<RowFile> arrivals, Cells &cells, const Context &context) {
  const size_t rows = arrivals->rows();
  const size_t fanout = cells.fanout();
  spill::BufferedFile cells_of(context.space.create(), size_t{64} << 10);
  std::vector<size_t> primaries(cells.size());
  std::vector<size_t> copies(cells.size());
  RowBlock chunk(context.params.dims);
  for_each_chunk(*arrivals, context.plan.chunk_rows, chunk, [&](size_t first) {
    context.timer.set_part(first, chunk.size(), kPasses * rows);
    const std::vector<uint16_t> assigned = cells.assign(chunk);
    cells_of.append(assigned.data(), assigned.size() * sizeof(uint16_t));
    for (size_t i = 0; i < assigned.size(); ++i) {
      if (assigned[i] == build::kNoCell) continue;
      ++copies[assigned[i]];
      if (i % fanout == 0) ++primaries[assigned[i]];
    }
  });
  context.timer.set_part(0, 0, 0);

  Distribution result;
  size_t ranges;
  const std::vector<uint32_t> range_of =
      stretches_of(primaries, context.plan.block_rows, &ranges);
  result.bundle_of = stretches_of(copies, context.plan.group_rows, &result.bundles);
  for (size_t i = 0; i < ranges; ++i) result.ranges.push_back(make_range(context));
  std::vector<uint16_t> assigned;
  for_each_chunk(*arrivals, context.plan.chunk_rows, chunk, [&](size_t first) {
    context.team.poll(kStage, rows + first, kPasses * rows);
    assigned.resize(chunk.size() * fanout);
    cells_of.read(first * fanout * sizeof(uint16_t), assigned.data(),
                  assigned.size() * sizeof(uint16_t));
    for (size_t i = 0; i < chunk.size(); ++i) {
      const uint16_t *own = assigned.data() + i * fanout;
      Range &range = result.ranges[range_of[own[0]]];
      range.rows.append(chunk.key(i), chunk.code(i), chunk.values(i));
      range.cells.append(own, fanout * sizeof(uint16_t));
    }
  });
  return result;
}

// ---- Numbering -------------------------------------------------------------------------------

class Placer {
 public:
  Placer(const Cells &cells, const Distribution &distribution, uint64_t rows,
         const Context &context)
      : context_(context), fanout_(cells.fanout()), bundle_of_(distribution.bundle_of),
        mean_(cells.mean()), total_(rows), chunk_(context.params.dims),
        store_(context.params.dims, context.plan.block_rows),
        placed_{RowFile(context.space.create(), context.params.dims), {0}, {}, {}, {}} {
    for (size_t i = 0; i < distribution.bundles; ++i)
      placed_.bundles.push_back({{context.space.create(), context.plan.buffer_bytes}, 0});
    placed_.duplicates = std::make_unique<FileDuplicates>(context.space.create());
  }

  void place(Range range);
  PlacedRows finish();

 private:
  template <class Visit>
  void for_each_row(Range &range, Visit &&visit);
  std::vector<Range> split(Range range);
  void collapse(Range range);
  void add(size_t row, const uint16_t *cells);
  void emit();
  void emit_further(std::span<const uint32_t> number_of);
  void find_entry(std::span<const uint32_t> order, uint32_t base);

  const Context &context_;
  size_t fanout_;
  const std::vector<uint32_t> &bundle_of_;
  const build::MeanRow &mean_;
  uint64_t done_ = 0;
  uint64_t total_;
  RowBlock chunk_;
  RowStore store_;                // distinct rows of the block to be
  std::vector<uint16_t> cells_;   // [store's rows][fanout]
  float entry_distance_ = 0;
  PlacedRows placed_;
};

void Placer::add(size_t row, const uint16_t *cells) {
  RowStore::Added added = store_.add(chunk_.key(row), chunk_.code(row), chunk_.values(row));
  if (added == RowStore::Added::kNoRoom) {
    emit();
    added = store_.add(chunk_.key(row), chunk_.code(row), chunk_.values(row));
  }
  if (added == RowStore::Added::kNew) cells_.insert(cells_.end(), cells, cells + fanout_);
}

// Calls visit(i, cells) for rows of the chunk, chunk by chunk.
template <class Visit>
void Placer::for_each_row(Range &range, Visit &&visit) {
  range.rows.finish();
  range.cells.finish();
  std::vector<uint16_t> cells;
  for_each_chunk(range.rows, context_.plan.chunk_rows, chunk_, [&](size_t first) {
    context_.team.poll(kStage, 2 * total_ + done_, kPasses * total_);
    cells.resize(chunk_.size() * fanout_);
    range.cells.read(first * fanout_ * sizeof(uint16_t), cells.data(),
                     cells.size() * sizeof(uint16_t));
    for (size_t i = 0; i < chunk_.size(); ++i) visit(i, cells.data() + i * fanout_);
  });
}

// A cell of more rows than a block: by their hashes, so that equal ones stay together and the parts do
// not depend on the order in which rows came. They aim below a block, as hashes vary.
std::vector<Range> Placer::split(Range range) {
  const size_t target = context_.plan.block_rows - context_.plan.block_rows / 4;
  const uint64_t count = range.rows.rows() / target + 1;
  std::vector<Range> parts;
  for (uint64_t i = 0; i < count; ++i) parts.push_back(make_range(context_));
  for_each_row(range, [&](size_t row, const uint16_t *cells) {
    const uint64_t hash = hash_code(chunk_.code(row), chunk_.values(row), chunk_.stride()) >> 32;
    Range &part = parts[hash * count >> 32];
    part.rows.append(chunk_.key(row), chunk_.code(row), chunk_.values(row));
    part.cells.append(cells, fanout_ * sizeof(uint16_t));
  });
  return parts;
}

void Placer::collapse(Range range) {
  for_each_row(range, [this](size_t row, const uint16_t *cells) { add(row, cells); });
  done_ += range.rows.rows();
  emit();
}

void Placer::place(Range range) {
  if (range.rows.rows() <= context_.plan.block_rows) return collapse(std::move(range));
  for (Range &part : split(std::move(range))) collapse(std::move(part));
}

// The distinct rows since the last call become a block: by nearest cell, then by key.
void Placer::emit() {
  if (store_.size() == 0) return;
  const uint32_t base = placed_.size();
  std::vector<uint32_t> order = store_.by_key();
  std::stable_sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    return cells_[a * fanout_] < cells_[b * fanout_];
  });
  std::vector<uint32_t> number_of(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    const uint32_t row = order[i];
    number_of[row] = base + i;
    placed_.rows.append(store_.key(row), store_.code(row), store_.values(row));
    for (size_t copy = 0; copy < fanout_; ++copy) {
      const uint16_t cell = cells_[row * fanout_ + copy];
      if (cell == build::kNoCell) break;
      placed_.bundles[bundle_of_[cell]].add({base + i, cell});
    }
  }
  find_entry(order, base);
  emit_further(number_of);
  placed_.block_begin.push_back(base + static_cast<uint32_t>(order.size()));
  store_.reset();
  cells_.clear();
}

void Placer::emit_further(std::span<const uint32_t> number_of) {
  auto &further = store_.further();
  for (auto &[row, key] : further) row = number_of[row];
  std::sort(further.begin(), further.end());
  std::vector<RowKey> keys;
  for (size_t i = 0; i < further.size(); ++i) {
    keys.push_back(further[i].second);
    if (i + 1 < further.size() && further[i + 1].first == further[i].first) continue;
    placed_.duplicates->append(further[i].first, keys.data(), keys.size());
    keys.clear();
  }
}

// By numbers, so that ties do not depend on the order in which rows came.
void Placer::find_entry(std::span<const uint32_t> order, uint32_t base) {
  const build::VectorSet set = store_.set();
  const build::Candidate nearest =
      build::nearest_to(build::RowView(set, order.data(), order.size()), mean_,
                        build::Stage::kPartition, context_.team);
  if (placed_.entry != build::kNoRow && build::distance_of(nearest) >= entry_distance_) return;
  placed_.entry = base + (nearest == build::kNoCandidate ? 0 : build::row_of(nearest));
  entry_distance_ = build::distance_of(nearest);
}

PlacedRows Placer::finish() {
  placed_.rows.finish();
  placed_.duplicates->finish();
  for (CellBundle &bundle : placed_.bundles) bundle.entries.finish();
  return std::move(placed_);
}

}  // namespace

PlacedRows place_rows(std::unique_ptr<RowFile> arrivals, const Context &context) {
  const uint64_t rows = arrivals->rows();
  arrivals->finish();
  Cells cells(*arrivals, context);
  Distribution distribution = distribute(std::move(arrivals), cells, context);
  Placer placer(cells, distribution, rows, context);
  for (Range &range : distribution.ranges) placer.place(std::move(range));
  return placer.finish();
}

}  // namespace vann::bulk

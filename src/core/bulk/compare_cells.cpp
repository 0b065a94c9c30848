// compare_cells.cpp — the leaf stage over files: as many cells as memory holds rows of are read, split
// into leaves and compared, before the next ones are.
#include <algorithm>
#include <numeric>

#include "core/bulk/list_files.hpp"
#include "core/bulk/memory_plan.hpp"
#include "core/bulk/residents.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kReadEntries = size_t{64} << 10;

class CellGroups {
 public:
  CellGroups(PlacedRows &placed, const Context &context);

  // Takes the entries of the next cells.
  void add(CellBundle bundle);
  std::vector<PartialLists> finish();

 private:
  void take(std::span<const CellEntry> entries);
  void compare();
  build::Cells cells_of(std::span<const CellEntry> entries) const;
  void write_lists();

  PlacedRows &placed_;
  const Context &context_;
  BlockMap blocks_;
  PageVector<CellEntry> pending_;
  Residents rows_;  // of the pending entries
  build::CandidateLists lists_;
  std::vector<PartialLists> partial_;
  size_t done_ = 0;   // entries
  size_t total_ = 0;
};

CellGroups::CellGroups(PlacedRows &placed, const Context &context)
    : placed_(placed), context_(context), blocks_(placed.block_begin),
      rows_(placed.size(), context.params.dims, context.plan.group_rows),
      lists_(0, list_length(context.params), context.team) {
  for (auto &file : block_files(placed.blocks(), context)) partial_.push_back({std::move(file)});
  for (const CellBundle &bundle : placed.bundles) total_ += bundle.count;
}

// Entries in the order of cells, group by group: those of rows in memory.
build::Cells CellGroups::cells_of(std::span<const CellEntry> entries) const {
  const auto [least, most] = std::minmax_element(
      entries.begin(), entries.end(),
      [](const CellEntry &a, const CellEntry &b) { return a.cell < b.cell; });
  const uint32_t first = least->cell;
  build::Cells cells;
  cells.begin.resize(most->cell - first + 2);
  for (const CellEntry &entry : entries) ++cells.begin[entry.cell - first + 1];
  std::partial_sum(cells.begin.begin(), cells.begin.end(), cells.begin.begin());
  std::vector<size_t> next(cells.begin.begin(), cells.begin.end() - 1);
  cells.members.resize(entries.size());
  for (const CellEntry &entry : entries)
    cells.members[next[entry.cell - first]++] = rows_.place(entry.row);
  return cells;
}

// Works on the pending entries and drops them.
void CellGroups::compare() {
  const size_t entries = pending_.size();
  rows_.load(placed_.rows, 0);
  const build::RowView view = rows_.view();
  context_.timer.set_part(done_, 0, total_);
  build::Cells cells = cells_of(pending_);
  pending_.clear();
  const build::Partition partition =
      build::split_cells(view, context_.params.graph, std::move(cells), context_.team);
  lists_.reset(view.size(), build::Stage::kLeaves, context_.team);
  context_.timer.set_part(done_, entries, total_);
  build::fill_from_leaves(view, partition, context_.params.graph.kept_per_leaf, lists_,
                          context_.team);
  context_.timer.set_part(0, 0, 0);
  done_ += entries;
  write_lists();
  rows_.clear();
}

void CellGroups::write_lists() {
  size_t open = 0;
  for (uint32_t place = 0; place < rows_.size(); ++place) {
    const auto list = build::without_free_slots(lists_.list(place));
    rows_.to_numbers(list);
    const uint32_t row = rows_.number(place);
    const size_t block = blocks_.block_of(row);
    if (block != open) partial_[open].file.finish();
    open = block;
    partial_[block].append(row, list);
  }
  partial_[open].file.finish();
}

void CellGroups::take(std::span<const CellEntry> entries) {
  for (const CellEntry &entry : entries) {
    // A stretch of cells with more rows than memory holds is cut.
    if (rows_.is_full() && !rows_.contains(entry.row)) compare();
    rows_.add(entry.row);
    pending_.push_back(entry);
  }
}

template <class Visit>
void for_each_piece(CellBundle &bundle, Visit &&visit) {
  PageVector<CellEntry> entries;
  for (size_t first = 0; first < bundle.count; first += entries.size()) {
    entries.resize(std::min(kReadEntries, bundle.count - first));
    bundle.entries.read(first * sizeof(CellEntry), entries.data(),
                        entries.size() * sizeof(CellEntry));
    visit(std::span<const CellEntry>(entries));
  }
}

void CellGroups::add(CellBundle bundle) {
  size_t added = 0;
  uint32_t last = build::kNoRow;  // a row's entries follow each other
  for_each_piece(bundle, [&](std::span<const CellEntry> entries) {
    for (const CellEntry &entry : entries) {
      if (entry.row != last && !rows_.contains(entry.row)) ++added;
      last = entry.row;
    }
  });
  if (rows_.size() + added > context_.plan.group_rows && !pending_.empty()) compare();
  for_each_piece(bundle, [this](std::span<const CellEntry> entries) { take(entries); });
}

std::vector<PartialLists> CellGroups::finish() {
  if (!pending_.empty()) compare();
  return std::move(partial_);
}

}  // namespace

std::vector<spill::BufferedFile> block_files(size_t blocks, const Context &context) {
  std::vector<spill::BufferedFile> files;
  for (size_t i = 0; i < blocks; ++i)
    files.emplace_back(context.space.create(), context.plan.buffer_bytes);
  return files;
}

std::vector<PartialLists> compare_cells(PlacedRows &placed, const Context &context) {
  CellGroups groups(placed, context);
  for (CellBundle &bundle : placed.bundles) groups.add(std::move(bundle));
  placed.bundles.clear();
  return groups.finish();
}

}  // namespace vann::bulk

// memory_level.cpp — puts rows into key order, links them, and numbers them in the graph's order.
#include "core/bulk/memory_level.hpp"

#include <algorithm>

#include "core/base/no_postgres.hpp"

namespace vann::bulk {

MemoryLevel::MemoryLevel(RowStore store, const build::GraphParams &params,
                         parallel::Monitor &monitor)
    : store_(std::move(store)) {
  store_.finish();
  const std::vector<uint32_t> by_key = store_.by_key();
  build::VectorSet set = store_.set();
  set.subset = by_key;
  graph_ = build::build_graph(set, params, monitor);
  rows_ = static_cast<uint32_t>(graph_.rows);
  entry_ = graph_.entry;
  indexes_.resize(rows_);
  for (uint32_t number = 0; number < rows_; ++number)
    indexes_[number] = by_key[graph_.order[number]];
  graph_.order = {};
  stretch_.degree = graph_.degree;
  stretch_.stride = quantize::padded_dims(set.dims);
  stretch_.all_values = set.values;
  stretch_.all_codes = set.codes;
  stretch_.all_keys = store_.keys();
  stretch_.indexes = indexes_.data();
}

const Stretch &MemoryLevel::load(uint32_t begin, uint32_t most) {
  stretch_.begin = begin;
  stretch_.end = begin + std::min(rows_ - begin, most);
  stretch_.neighbor_lists = graph_.neighbors.data() + size_t{begin} * graph_.degree;
  return stretch_;
}

void MemoryLevel::visit(const Visit &visit) {
  for (uint32_t number = 0; number < rows_; ++number) {
    const uint32_t row = indexes_[number];
    visit(number, store_.key(row), store_.code(row), store_.values(row));
  }
}

std::vector<RowStore::Further> MemoryLevel::take_further() {
  std::vector<RowStore::Further> further = std::move(store_.further());
  if (further.empty()) return further;
  std::vector<uint32_t> number_of(rows_);
  for (uint32_t number = 0; number < rows_; ++number) number_of[indexes_[number]] = number;
  for (auto &[row, key] : further) row = number_of[row];
  std::sort(further.begin(), further.end());
  return further;
}

}  // namespace vann::bulk

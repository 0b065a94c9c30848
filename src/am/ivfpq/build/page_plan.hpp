// page_plan.hpp — where everything of a built index lies, from the number of rows of each list.
#pragma once

#include "am/ivfpq/build/pages.hpp"

#include <algorithm>

namespace vann::ivfpq {

constexpr uint64_t pages_for(uint64_t items, uint64_t per_page) {
  return (items + per_page - 1) / per_page;
}

// List records in the order of their ids: the root, cells, lists of rows.
struct PagePlan {
  const WrittenLists *lists;
  const Layout *layout;
  uint32_t cells;  // 0: the root holds the lists
  BlockNumber list_block;
  BlockNumber directory_block;
  BlockNumber rows_block;

  uint32_t root() const { return list_id(list_block, 0, *layout); }
  uint32_t cell(uint32_t i) const { return root() + 1 + i; }
  uint32_t list(uint32_t i) const { return root() + 1 + cells + i; }
  uint32_t records() const { return 1 + cells + lists->model->lists; }
  uint64_t directory_pages(uint64_t entries) const {
    return std::max<uint64_t>(1, pages_for(entries, layout->directory_page_rows()));
  }
  uint32_t root_entries() const { return cells > 0 ? cells : lists->model->lists; }
  uint32_t cell_entries(uint32_t i) const {
    return lists->model->cell_begin()[i + 1] - lists->model->cell_begin()[i];
  }
  uint64_t scan_pages(uint32_t i) const {
    return std::max<uint64_t>(1, pages_for(lists->rows->rows_of(i), layout->page_rows()));
  }
  // Refine pages of a scan page with so many rows.
  uint64_t refine_pages(uint64_t rows) const { return pages_for(rows, layout->refine_slots); }
  uint64_t list_pages(uint32_t i) const {
    const uint64_t rows = lists->rows->rows_of(i);
    const uint64_t full = rows / layout->page_rows();
    return scan_pages(i) + full * refine_pages(layout->page_rows()) +
           refine_pages(rows - full * layout->page_rows());
  }
};

// The list records begin behind the model.
inline PagePlan plan_pages(const WrittenLists &lists) {
  const BlockNumber first = lists.model->end_block;
  PagePlan plan{&lists, &lists.model->layout(), 0, first, 0, 0};
  if (lists.model->lists > cluster::kFlatLists) plan.cells = lists.model->cells;
  plan.directory_block =
      first + static_cast<BlockNumber>(pages_for(plan.records(), plan.layout->list_slots));
  uint64_t directory = plan.directory_pages(plan.root_entries());
  for (uint32_t i = 0; i < plan.cells; ++i) directory += plan.directory_pages(plan.cell_entries(i));
  plan.rows_block = plan.directory_block + static_cast<BlockNumber>(directory);
  return plan;
}

}  // namespace vann::ivfpq

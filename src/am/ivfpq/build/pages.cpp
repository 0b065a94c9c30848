// pages.cpp — see pages.hpp. All block numbers follow from the number of rows of each list, so
// that nothing is written twice.
#include "am/ivfpq/build/pages.hpp"

#include "am/ivfpq/build/directory.hpp"
#include "am/ivfpq/lists.hpp"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// ---- Metapage and model ---------------------------------------------------------------------------

void write_meta(PageStream &out, const PagePlan &plan) {
  const WrittenLists &lists = *plan.lists;
  MetaPage meta = lists.model->meta;
  meta.depth = plan.cells > 0 ? 2 : 1;
  meta.root = plan.root();
  meta.list_pages = meta.free_list_page = plan.directory_block - 1;
  meta.probes = lists.training->probes;
  double error = 0;
  for (uint32_t i = 0; i < lists.model->lists; ++i) error += lists.rows->error_of(i);
  meta.trained_error = static_cast<float>(error / static_cast<double>(lists.rows->rows()));
  meta.trained_rows = lists.rows->rows();
  uint8_t *page = out.add();
  init_page(page, kMetaPage);
  *meta_of(page) = meta;
}

void write_floats_to(PageStream &out, const float *floats, size_t count) {
  for (size_t done = 0; done < count;) {
    const size_t here = std::min(kModelPageFloats, count - done);
    const BlockNumber block = out.next_block();
    uint8_t *page = out.add();
    init_page(page, kModelPage);
    model_header(page) = {done + here < count ? block + 1 : kNoBlock, static_cast<uint32_t>(here)};
    memcpy(model_floats(page), floats + done, here * sizeof(float));
    done += here;
  }
}

void write_model(PageStream &out, const BuildModel &model) {
  const IndexCache &cache = *model.cache();
  if (model.meta.mean_block != kNoBlock) write_floats_to(out, cache.mean(), cache.mean_floats);
  if (model.meta.rotation_block != kNoBlock)
    write_floats_to(out, cache.matrix(), cache.matrix_floats);
  if (model.meta.codebook_block != kNoBlock)
    write_floats_to(out, cache.codebooks(), cache.codebook_floats);
}

// ---- Lists ----------------------------------------------------------------------------------------

void write_scan_row(const Block &block, uint32_t place, const CodedRow &row, const Layout &layout) {
  block.header().live |= 1u << place;
  quantize::store_code(layout.rows, block.tiles(), place, row.codes());
  block.scales()[place] = row.scan.scale;
  block.offsets()[place] = row.scan.offset;
  block.errors()[place] = row.scan.error;
  block.tids()[place] = row.tid;
}

// The scan pages of a list, of which the first refine page is `refine`.
void write_scan_pages(PageStream &out, const PagePlan &plan, uint32_t number, BlockNumber refine) {
  const Layout &layout = *plan.layout;
  RowStore &rows = *plan.lists->rows;
  const uint32_t list = plan.list(number);
  uint64_t left = rows.rows_of(number);
  const uint64_t pages = plan.scan_pages(number);
  rows.open(number);
  for (uint64_t i = 0; i < pages; ++i) {
    const BlockNumber block = out.next_block();
    uint8_t *page = out.add();
    init_scan_page(page, layout, list, plan.lists->model->meta.codebook_version);
    if (i + 1 < pages) scan_header(page).next = block + 1;
    const uint32_t here = static_cast<uint32_t>(std::min<uint64_t>(left, layout.page_rows()));
    for (uint32_t k = 0; k < plan.refine_pages(here); ++k) refine_blocks(page)[k] = refine++;
    for (uint32_t row = 0; row < here; ++row) {
      const Block in = block_in(page, row / kBlockRows, layout);
      in.header().anchor = list;
      write_scan_row(in, row % kBlockRows, *rows.next(), layout);
    }
    left -= here;
  }
}

// Its refine pages, in the same order of rows; its first scan page is `scan_page`.
void write_refine_pages(PageStream &out, const PagePlan &plan, uint32_t number,
                        BlockNumber scan_page) {
  const Layout &layout = *plan.layout;
  const size_t scan_bytes = quantize::scan_code_bytes(layout.rows);
  RowStore &rows = *plan.lists->rows;
  uint64_t left = rows.rows_of(number);
  rows.open(number);
  for (; left > 0; ++scan_page) {
    const uint32_t here = static_cast<uint32_t>(std::min<uint64_t>(left, layout.page_rows()));
    uint8_t *page = nullptr;
    for (uint32_t i = 0; i < here; ++i) {
      const RefinePlace place = refine_place(i, layout);
      if (place.slot == 0) {
        page = out.add();
        init_refine_page(page, plan.list(number), scan_page);
      }
      const CodedRow &row = *rows.next();
      uint8_t *at = refine_row_in(page, place.slot, layout);
      refine_factors(at) = row.refine;
      memcpy(refine_planes(at), row.codes() + scan_bytes, quantize::refine_code_bytes(layout.rows));
    }
    left -= here;
  }
}

void write_lists(PageStream &out, const PagePlan &plan) {
  const RowStore &rows = *plan.lists->rows;
  pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(rows.rows()));
  uint64_t done = 0;
  for (uint32_t i = 0; i < plan.lists->model->lists; ++i) {
    CHECK_FOR_INTERRUPTS();
    const BlockNumber head = out.next_block();
    write_scan_pages(out, plan, i, head + static_cast<BlockNumber>(plan.scan_pages(i)));
    write_refine_pages(out, plan, i, head);
    done += rows.rows_of(i);
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(done));
  }
}

}  // namespace

void write_index(Relation index, const WrittenLists &lists) {
  const PagePlan plan = plan_pages(lists);
  PageStream out(index);
  write_meta(out, plan);
  write_model(out, *lists.model);
  write_directory(out, plan);
  write_lists(out, plan);
  out.finish();
}

}  // namespace vann::ivfpq

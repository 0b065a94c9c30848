// directory.cpp — see directory.hpp.
#include "am/ivfpq/build/directory.hpp"

#include "am/ivfpq/directory.hpp"

extern "C" {
#include "miscadmin.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// The mean of the centroids of lists [begin, end).
void mean_of_lists(const BuildModel &model, uint32_t begin, uint32_t end, float *mean) {
  const size_t dims = model.layout().rotated_dims;
  float *centroid = static_cast<float *>(palloc(dims * sizeof(float)));
  std::fill(mean, mean + dims, 0.0f);
  for (uint32_t list = begin; list < end; ++list) {
    CHECK_FOR_INTERRUPTS();
    model.anchor(list, centroid);
    for (size_t i = 0; i < dims; ++i) mean[i] += centroid[i] / static_cast<float>(end - begin);
  }
  pfree(centroid);
}

// Records and directory pages, in the order of ids.
class Directory {
 public:
  Directory(const PagePlan &plan, PageStream &out)
      : plan_(plan), model_(*plan.lists->model), layout_(*plan.layout), out_(out),
        head_(plan.directory_block), slot_(0), page_(nullptr), list_page_block_(plan.list_block) {
    const size_t dims = layout_.rotated_dims;
    owner_ = static_cast<float *>(palloc(dims * sizeof(float)));
    centroid_ = static_cast<float *>(palloc(dims * sizeof(float)));
    code_ = static_cast<uint8_t *>(palloc(quantize::neighbor_code_bytes(
        layout_.centroids.neighbor_dims, layout_.centroids.neighbor_bits)));
  }

  void write_records() {
    write_directory_record(plan_.cells > 0 ? 2 : 1, 0, model_.lists, kNoList, plan_.root_entries());
    for (uint32_t i = 0; i < plan_.cells; ++i)
      write_directory_record(1, model_.cell_begin()[i], model_.cell_begin()[i + 1], plan_.root(),
                             plan_.cell_entries(i));
    BlockNumber head = plan_.rows_block;
    uint32_t cell = 0;
    for (uint32_t i = 0; i < model_.lists; ++i) {
      CHECK_FOR_INTERRUPTS();
      while (plan_.cells > 0 && i == model_.cell_begin()[cell + 1]) ++cell;
      write_list_record(i, plan_.cells > 0 ? plan_.cell(cell) : plan_.root(), head);
      head += static_cast<BlockNumber>(plan_.list_pages(i));
    }
  }

  void write_entries() {
    mean_of_lists(model_, 0, model_.lists, owner_);
    if (plan_.cells == 0) {
      write_chain(plan_.root(), model_.lists, [&](uint32_t i) {
        model_.anchor(i, centroid_);
        return plan_.list(i);
      });
      return;
    }
    write_chain(plan_.root(), plan_.cells, [&](uint32_t i) {
      mean_of_lists(model_, model_.cell_begin()[i], model_.cell_begin()[i + 1], centroid_);
      recode(centroid_);
      return plan_.cell(i);
    });
    for (uint32_t cell = 0; cell < plan_.cells; ++cell) {
      const uint32_t first = model_.cell_begin()[cell];
      mean_of_lists(model_, first, model_.cell_begin()[cell + 1], owner_);
      write_chain(plan_.cell(cell), plan_.cell_entries(cell), [&](uint32_t i) {
        model_.anchor(first + i, centroid_);
        return plan_.list(first + i);
      });
    }
  }

 private:
  ListView next_record() {
    if (slot_ == 0) {
      page_ = out_.add();
      init_list_page(page_, list_page_block_ == plan_.list_block ? kNoBlock : list_page_block_ - 1);
      ++list_page_block_;
    }
    const ListView list = list_in(page_, slot_, layout_);
    slot_ = (slot_ + 1) % layout_.list_slots;
    list.record().state = static_cast<uint8_t>(ListState::kLive);
    return list;
  }

  // The next chain of directory pages is this record's.
  void write_directory_record(uint8_t level, uint32_t begin, uint32_t end, uint32_t parent,
                              uint32_t entries) {
    const ListView list = next_record();
    ListRecord &record = list.record();
    const auto pages = static_cast<BlockNumber>(plan_.directory_pages(entries));
    record.level = level;
    record.head = head_;
    record.open = head_ + pages - 1;
    record.parent = parent;
    record.written_rows = entries;
    mean_of_lists(model_, begin, end, centroid_);
    record.factors = encode_centroid(layout_, centroid_, list.code());
    head_ += pages;
  }

  void write_list_record(uint32_t number, uint32_t parent, BlockNumber head) {
    const ListView list = next_record();
    ListRecord &record = list.record();
    const RowStore &rows = *plan_.lists->rows;
    record.head = head;
    record.open = head + static_cast<BlockNumber>(plan_.scan_pages(number)) - 1;
    record.parent = parent;
    const std::vector<float> &lengths = plan_.lists->training->lengths;
    note_written(&record, rows.rows_of(number), rows.error_of(number),
                 lengths.empty() ? 0 : lengths[number]);
    record.factors = model_.factors()[number];
    memcpy(list.code(), model_.code(number), model_.code_bytes());
  }

  // What the record of this centroid will say it is.
  void recode(float *centroid) {
    uint8_t *code = static_cast<uint8_t *>(palloc(model_.code_bytes()));
    const quantize::CodeFactors factors = encode_centroid(layout_, centroid, code);
    quantize::decode_planes(code, factors, layout_.rotated_dims, layout_.centroids.code_bits,
                            centroid);
    pfree(code);
  }

  // The entries of owner_, whose centroid() puts each into centroid_ and returns its list.
  template <class Centroid>
  void write_chain(uint32_t owner, uint32_t entries, Centroid &&centroid) {
    recode(owner_);
    const uint32_t per_page = layout_.directory_page_rows();
    const uint64_t pages = plan_.directory_pages(entries);
    for (uint64_t number = 0; number < pages; ++number) {
      const BlockNumber block = out_.next_block();
      uint8_t *page = out_.add();
      init_directory_page(page, layout_, owner);
      if (number + 1 < pages) scan_header(page).next = block + 1;
      const uint32_t first = static_cast<uint32_t>(number) * per_page;
      for (uint32_t i = first; i < std::min(entries, first + per_page); ++i) {
        CHECK_FOR_INTERRUPTS();
        const uint32_t list = centroid(i);
        const EncodedCentroid entry = encode_entry(layout_, owner_, centroid_, code_);
        write_entry(page, i - first, layout_, list, entry, code_);
      }
    }
  }

  const PagePlan &plan_;
  const BuildModel &model_;
  const Layout &layout_;
  PageStream &out_;
  BlockNumber head_;  // of the next directory chain
  uint32_t slot_;
  uint8_t *page_;
  BlockNumber list_page_block_;
  float *owner_;
  float *centroid_;
  uint8_t *code_;
};

}  // namespace

void write_directory(PageStream &out, const PagePlan &plan) {
  Directory directory(plan, out);
  directory.write_records();
  directory.write_entries();
}

}  // namespace vann::ivfpq

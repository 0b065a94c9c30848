// page_stream.hpp — pages of a new index, one after another.
#pragma once

#include "am/ivfpq/index.hpp"
#include "pg/bulk_writer.hpp"

extern "C" {
#include "miscadmin.h"
}

namespace vann::ivfpq {

// Memory for pages that have not been written yet.
inline constexpr uint32_t kStreamPages = 64;

class PageStream {
 public:
  // Of the empty main fork. Memory comes from the current context.
  explicit PageStream(Relation index)
      : writer_(index, MAIN_FORKNUM), pages_(pg::allocate_aligned<uint8_t, pg::kIoAlignment>(
                                          CurrentMemoryContext, kStreamPages * kPageBytes)),
        count_(0) {}

  BlockNumber next_block() const { return writer_.blocks() + count_; }

  // Room for the next page, to be initialized before the call after this.
  uint8_t *add() {
    if (count_ == kStreamPages) flush();
    return pages_ + size_t{count_++} * kPageBytes;
  }

  void finish() {
    flush();
    writer_.finish();
  }

 private:
  void flush() {
    CHECK_FOR_INTERRUPTS();
    writer_.append(pages_, count_);
    count_ = 0;
  }

  pg::BulkWriter writer_;
  uint8_t *pages_;
  uint32_t count_;
};

}  // namespace vann::ivfpq

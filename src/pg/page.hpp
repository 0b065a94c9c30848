// page.hpp — buffers of a relation as guards, and WAL-logged edits of up to four pages.
//
// Guards are abandonable: when an error jumps over one, PostgreSQL itself releases the pin (resource
// owner) and the lock (LWLockReleaseAll); the destructor is only the normal path's release.
#pragma once

#include "pg/postgres.hpp"
#include "pg/recent_buffers.hpp"

extern "C" {
#include "access/generic_xlog.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"
}

namespace vann::pg {

// A pinned, content-locked page. `mode` is BUFFER_LOCK_SHARE or BUFFER_LOCK_EXCLUSIVE.
class LockedPage {
 public:
  LockedPage(Relation relation, BlockNumber block, int mode)
      : relation_(relation), buffer_(read_recent(relation, block)) {
    LockBuffer(buffer_, mode);
  }
  // Takes over a buffer that is pinned and locked.
  LockedPage(Relation relation, Buffer locked) : relation_(relation), buffer_(locked) {}
  LockedPage(const LockedPage &) = delete;
  LockedPage &operator=(const LockedPage &) = delete;
  LockedPage(LockedPage &&other) noexcept : relation_(other.relation_), buffer_(other.buffer_) {
    other.buffer_ = InvalidBuffer;
  }
  ~LockedPage() { release(); }

  void release() {
    if (buffer_ == InvalidBuffer) return;
    UnlockReleaseBuffer(buffer_);
    buffer_ = InvalidBuffer;
  }

  Relation relation() const { return relation_; }
  Buffer buffer() const { return buffer_; }
  BlockNumber block() const { return BufferGetBlockNumber(buffer_); }
  // Of the page's last WAL-logged change. The content lock keeps it still: nothing sets hint bits here.
  XLogRecPtr lsn() const { return PageGetLSN(BufferGetPage(buffer_)); }
  uint8_t *bytes() const { return reinterpret_cast<uint8_t *>(BufferGetPage(buffer_)); }

 private:
  Relation relation_;
  Buffer buffer_;
};

// One atomic, WAL-logged change of at most MAX_GENERIC_XLOG_PAGES exclusively locked pages of one
// relation (unlogged and temporary relations write no WAL). Nothing changes before commit();
// without it the edit is dropped.
class PageEdit {
 public:
  explicit PageEdit(Relation relation) : state_(GenericXLogStart(relation)) {}
  PageEdit(const PageEdit &) = delete;
  PageEdit &operator=(const PageEdit &) = delete;
  ~PageEdit() {
    if (state_ != nullptr) GenericXLogAbort(state_);
  }

  // The working copy of a page, to be changed; same bytes as the page until then.
  uint8_t *modify(const LockedPage &page) {
    return reinterpret_cast<uint8_t *>(GenericXLogRegisterBuffer(state_, page.buffer(), 0));
  }
  // The same for a page whose old contents do not matter: logged as a whole.
  uint8_t *overwrite(const LockedPage &page) {
    return reinterpret_cast<uint8_t *>(
        GenericXLogRegisterBuffer(state_, page.buffer(), GENERIC_XLOG_FULL_IMAGE));
  }
  void commit() {
    GenericXLogFinish(state_);
    state_ = nullptr;
  }

 private:
  GenericXLogState *state_;
};

}  // namespace vann::pg

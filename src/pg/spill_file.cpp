// spill_file.cpp — BufFile behind core's interface.
#include "pg/spill_file.hpp"

extern "C" {
#include "storage/buffile.h"
}

namespace vann::pg {

namespace {

// One call of the file layer and its arguments; plain data, since an ERROR leaves it by a jump.
struct Transfer {
  BufFile *file;
  uint64_t offset;
  void *bytes;
  size_t size;
};

void create_file(void *argument) {
  static_cast<Transfer *>(argument)->file = BufFileCreateTemp(false);
}

// An offset of any size counts from the file's first segment: BufFile finds the segment itself.
void seek_to(void *argument) {
  const Transfer &at = *static_cast<Transfer *>(argument);
  if (BufFileSeek(at.file, 0, static_cast<off_t>(at.offset), SEEK_SET) != 0)
    ereport(ERROR,
            (errcode_for_file_access(), errmsg("could not seek to byte %llu of a temporary file",
                                               static_cast<unsigned long long>(at.offset))));
}

void write_bytes(void *argument) {
  const Transfer &work = *static_cast<Transfer *>(argument);
  BufFileWrite(work.file, work.bytes, work.size);
}

void read_bytes(void *argument) {
  const Transfer &work = *static_cast<Transfer *>(argument);
  const size_t got = BufFileRead(work.file, work.bytes, work.size);
  if (got != work.size)
    ereport(ERROR, (errcode_for_file_access(),
                    errmsg("could not read from a temporary file: read only %zu of %zu bytes", got,
                           work.size)));
}

void close_file(void *argument) { BufFileClose(static_cast<Transfer *>(argument)->file); }

class File final : public spill::SpillFile {
 public:
  File(SpillSpace *space, BufFile *file) : space_(space), file_(file) {}

  // Closing writes what is still buffered, and so may fail. Then the resource owner closes the file.
  ~File() override {
    if (space_->abandoned()) return;
    Transfer work{file_, 0, nullptr, 0};
    try {
      space_->guard(close_file, &work);
    } catch (const spill::SpillFailed &) {
    }
  }

  void append(const void *bytes, size_t size) override {
    transfer(write_bytes, size_, const_cast<void *>(bytes), size);
    size_ += size;
  }
  void read(uint64_t offset, void *bytes, size_t size) override {
    transfer(read_bytes, offset, bytes, size);
  }
  void overwrite(uint64_t offset, const void *bytes, size_t size) override {
    transfer(write_bytes, offset, const_cast<void *>(bytes), size);
  }
  uint64_t size() const noexcept override { return size_; }

 private:
  // Seeks only where it must: seeking away from a half-full buffer writes it.
  void transfer(void (*how)(void *), uint64_t offset, void *bytes, size_t size) {
    Transfer work{file_, offset, bytes, size};
    if (offset != position_) space_->guard(seek_to, &work);
    position_ = kUnknown;
    space_->guard(how, &work);
    position_ = offset + size;
  }

  static constexpr uint64_t kUnknown = ~uint64_t{0};

  SpillSpace *space_;
  BufFile *file_;
  uint64_t size_ = 0;
  uint64_t position_ = 0;  // of the file, as BufFile has it
};

}  // namespace

std::unique_ptr<spill::SpillFile> SpillSpace::create() {
  Transfer work{};
  guard(create_file, &work);
  return std::make_unique<File>(this, work.file);
}

void SpillSpace::raise() const { ReThrowError(error_); }

void SpillSpace::guard(void (*work)(void *), void *argument) {
  const MemoryContext caller = CurrentMemoryContext;
  const ResourceOwner caller_owner = CurrentResourceOwner;
  volatile bool failed = false;
  PG_TRY();
  {
    MemoryContextSwitchTo(context_);
    CurrentResourceOwner = owner_;
    work(argument);
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context_);
    ErrorData *error = CopyErrorData();
    FlushErrorState();
    // The first one is the reason; a later one comes from closing files after it.
    if (error_ == nullptr)
      error_ = error;
    else
      FreeErrorData(error);
    failed = true;
  }
  PG_END_TRY();
  MemoryContextSwitchTo(caller);
  CurrentResourceOwner = caller_owner;
  if (failed) throw spill::SpillFailed{};
}

}  // namespace vann::pg

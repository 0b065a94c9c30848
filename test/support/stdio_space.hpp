// stdio_space.hpp — spill files of the C library, for tests of core work that spills. They can be told
// to fail, and count what is open.
#pragma once

#include <cstdio>
#include <limits>
#include <stdexcept>

#include "core/spill/spill_file.hpp"

namespace vann::test {

class StdioSpace final : public spill::SpillSpace {
 public:
  // From now on `calls` calls of the space and its files succeed, and all later ones fail.
  void fail_after(uint64_t calls) noexcept { calls_left_ = calls; }
  uint64_t open_files() const noexcept { return open_files_; }
  uint64_t bytes_appended() const noexcept { return bytes_appended_; }

  std::unique_ptr<spill::SpillFile> create() override {
    count_call();
    return std::make_unique<File>(*this);
  }

 private:
  class File final : public spill::SpillFile {
   public:
    explicit File(StdioSpace &space) : space_(space), file_(std::tmpfile()) {
      if (file_ == nullptr) throw spill::SpillFailed{};
      ++space_.open_files_;
    }
    ~File() override {
      std::fclose(file_);
      --space_.open_files_;
    }

    void append(const void *bytes, size_t size) override {
      write(size_, bytes, size);
      size_ += size;
      space_.bytes_appended_ += size;
    }
    void read(uint64_t offset, void *bytes, size_t size) override {
      check_within(offset, size);
      seek(offset);
      if (std::fread(bytes, 1, size, file_) != size) throw spill::SpillFailed{};
    }
    void overwrite(uint64_t offset, const void *bytes, size_t size) override {
      check_within(offset, size);
      write(offset, bytes, size);
    }
    uint64_t size() const noexcept override { return size_; }

   private:
    void check_within(uint64_t offset, size_t size) const {
      if (offset > size_ || size > size_ - offset) throw std::out_of_range("beyond the spill file");
    }
    void seek(uint64_t offset) {
      space_.count_call();
      if (fseeko(file_, static_cast<off_t>(offset), SEEK_SET) != 0) throw spill::SpillFailed{};
    }
    void write(uint64_t offset, const void *bytes, size_t size) {
      seek(offset);
      if (std::fwrite(bytes, 1, size, file_) != size) throw spill::SpillFailed{};
    }

    StdioSpace &space_;
    std::FILE *file_;
    uint64_t size_ = 0;
  };

  void count_call() {
    if (calls_left_ == 0) throw spill::SpillFailed{};
    --calls_left_;
  }

  uint64_t calls_left_ = std::numeric_limits<uint64_t>::max();
  uint64_t open_files_ = 0;
  uint64_t bytes_appended_ = 0;
};

}  // namespace vann::test

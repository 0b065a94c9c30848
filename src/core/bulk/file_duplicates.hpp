// file_duplicates.hpp — further keys of elements in a file: element, count, keys, for each element.
#pragma once

#include <memory>

#include "core/bulk/index_build.hpp"
#include "core/spill/buffered_file.hpp"

namespace vann::bulk {

class FileDuplicates final : public Duplicates {
 public:
  explicit FileDuplicates(std::unique_ptr<spill::SpillFile> file)
      : file_(std::move(file), size_t{64} << 10) {}

  // Elements come in ascending order, each once.
  void append(uint32_t element, const RowKey *keys, uint64_t count) {
    const Head head{element, count};
    file_.append(&head, sizeof head);
    file_.append(keys, count * sizeof(RowKey));
  }
  void finish() { file_.finish(); }

  void rewind() override { next_ = 0; }
  bool next(uint32_t *element, uint64_t *count) override {
    if (next_ == file_.size()) return false;
    Head head;
    file_.read(next_, &head, sizeof head);
    at_ = next_ + sizeof head;
    next_ = at_ + head.count * sizeof(RowKey);
    *element = static_cast<uint32_t>(head.element);
    *count = head.count;
    return true;
  }
  void read(RowKey *keys, size_t count) override {
    file_.read(at_, keys, count * sizeof(RowKey));
    at_ += count * sizeof(RowKey);
  }

 private:
  struct Head {
    uint64_t element;
    uint64_t count;
  };

  spill::BufferedFile file_;
  uint64_t next_ = 0;  // the next element's head
  uint64_t at_ = 0;    // the next key of the current one
};

}  // namespace vann::bulk

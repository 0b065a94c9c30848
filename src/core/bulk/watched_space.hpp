// watched_space.hpp — a space whose files look at the monitor: what one thread does for long, it does
// reading or writing, so that a cancelled build never goes on for more than a piece of a file.
#pragma once

#include <memory>

#include "core/parallel/monitor.hpp"
#include "core/spill/spill_file.hpp"

namespace vann::bulk {

class WatchedSpace final : public spill::SpillSpace {
 public:
  // Owns neither.
  WatchedSpace(spill::SpillSpace &inner, parallel::Monitor &monitor) noexcept
      : inner_(inner), monitor_(monitor) {}

  // Files that throw parallel::Cancelled beside what those of the inner space throw.
  std::unique_ptr<spill::SpillFile> create() override {
    return std::make_unique<File>(inner_.create(), monitor_);
  }

 private:
  class File final : public spill::SpillFile {
   public:
    File(std::unique_ptr<spill::SpillFile> inner, parallel::Monitor &monitor) noexcept
        : inner_(std::move(inner)), monitor_(monitor) {}

    void append(const void *bytes, size_t size) override {
      look();
      inner_->append(bytes, size);
    }
    void read(uint64_t offset, void *bytes, size_t size) override {
      look();
      inner_->read(offset, bytes, size);
    }
    void overwrite(uint64_t offset, const void *bytes, size_t size) override {
      look();
      inner_->overwrite(offset, bytes, size);
    }
    uint64_t size() const noexcept override { return inner_->size(); }

   private:
    void look() const {
      if (monitor_.cancelled()) throw parallel::Cancelled{};
    }

    std::unique_ptr<spill::SpillFile> inner_;
    parallel::Monitor &monitor_;
  };

  spill::SpillSpace &inner_;
  parallel::Monitor &monitor_;
};

}  // namespace vann::bulk

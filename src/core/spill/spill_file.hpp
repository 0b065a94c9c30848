// spill_file.hpp — temporary files as core work sees them: where bytes go that do not fit into memory.
// The shell decides what they are; unit tests have files of the C library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace vann::spill {

// Thrown by every member that may fail (disk full, a limit on temporary files). The space keeps the
// reason for whoever started the work; its files can then only be destroyed.
struct SpillFailed {};

// One temporary file. Used by the thread that started the work only. Appending in small pieces is
// cheap; going back and forth between append() and the others costs a write of some kilobytes.
class SpillFile {
 public:
  SpillFile() = default;
  SpillFile(const SpillFile &) = delete;
  SpillFile &operator=(const SpillFile &) = delete;
  virtual ~SpillFile() = default;  // deletes the file

  virtual void append(const void *bytes, size_t size) = 0;
  // [offset, offset + size) must lie wholly within what was appended.
  virtual void read(uint64_t offset, void *bytes, size_t size) = 0;
  virtual void overwrite(uint64_t offset, const void *bytes, size_t size) = 0;
  virtual uint64_t size() const noexcept = 0;  // bytes appended
};

// Makes files; outlives them.
class SpillSpace {
 public:
  SpillSpace() = default;
  SpillSpace(const SpillSpace &) = delete;
  SpillSpace &operator=(const SpillSpace &) = delete;
  virtual ~SpillSpace() = default;

  virtual std::unique_ptr<SpillFile> create() = 0;
};

}  // namespace vann::spill

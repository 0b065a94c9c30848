// index_build.hpp — links all rows of an index within a given memory. Rows come one at a time; equal
// codes become one element; every level gets its graph; a writer then reads the levels in page order.
// What does not fit goes to temporary files and comes back in the same stages. See README.md.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/bulk/level.hpp"
#include "core/parallel/monitor.hpp"
#include "core/spill/spill_file.hpp"

namespace vann::bulk {

struct Params {
  build::GraphParams graph;  // threads included
  size_t dims = 0;           // real dimensions of codes
  size_t memory = 0;         // bytes that everything together may take
  double level_divisor = 1;  // P(level >= l) = level_divisor^-l
  int max_level = 0;
};

// With less memory than this, what threads and file buffers need would go beyond it.
inline constexpr size_t kLeastMemory = size_t{16} << 20;

// Bytes of memory at which `rows` distinct rows are linked without temporary files.
size_t one_pass_bytes(const Params &params, size_t rows);
// Bytes of temporary files that linking them takes at the most when they do not fit.
size_t spilled_bytes(const Params &params, size_t rows);

// Elements with more than one key, in ascending order of elements.
class Duplicates {
 public:
  virtual ~Duplicates() = default;
  // Back to the first element.
  virtual void rewind() = 0;
  // The next element with further keys, and how many beyond its first. False: there is none. Keys of
  // the one before that were not read are passed over. Throws spill::SpillFailed.
  virtual bool next(uint32_t *element, uint64_t *count) = 0;
  // The next `count` of its keys, ascending in all. Throws spill::SpillFailed.
  virtual void read(RowKey *keys, size_t count) = 0;
};

// Seconds spent, by stage; the stages of files are counted where their work belongs.
using StageSeconds = std::array<double, static_cast<size_t>(build::Stage::kCount)>;

class IndexBuild {
 public:
  // Does not own the space and the monitor. Nothing is allocated for rows that never come.
  IndexBuild(const Params &params, spill::SpillSpace &space, parallel::Monitor &monitor);
  ~IndexBuild();

  // One row; `values` are padded_dims(dims) digits and need not stay. Keys are distinct, below 2^63,
  // and may come in any order: the result does not depend on it. Throws spill::SpillFailed,
  // parallel::Cancelled, std::bad_alloc, std::length_error at 2^31 rows.
  void add(RowKey key, const quantize::ByteCode &code, const int8_t *values);

  // Builds all levels. To be called once. Throws parallel::Cancelled, spill::SpillFailed,
  // std::bad_alloc.
  void link();

  uint64_t rows() const noexcept;  // added
  // True once rows were written to temporary files.
  bool spilled() const noexcept;

  // After link(): bottom to top, none when there were no rows.
  size_t levels() const noexcept;
  Level &level(size_t level) noexcept;
  Duplicates &duplicates() noexcept;
  const StageSeconds &seconds() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vann::bulk

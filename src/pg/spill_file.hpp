// spill_file.hpp — core's spill files over PostgreSQL's temporary files: placed by temp_tablespaces,
// bounded by temp_file_limit, counted in temp_blks_written, removed at the end of the transaction at
// the latest.
#pragma once

#include "pg/postgres.hpp"

#include "core/spill/spill_file.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace vann::pg {

// An ERROR of the backend must not jump over the core frames that called: it is caught, kept here, and
// crosses them as SpillFailed. Who catches that behind them raises it again (run_core does).
class SpillSpace final : public spill::SpillSpace {
 public:
  // Files and the kept error take memory from `context` (some 8 kB per open file) and belong to the
  // current resource owner; both outlive the space.
  explicit SpillSpace(MemoryContext context)
      : context_(context), owner_(CurrentResourceOwner), error_(nullptr), abandoned_(false) {}

  std::unique_ptr<spill::SpillFile> create() override;

  // Raises the ERROR that SpillFailed stood for. No core frame may be left below.
  [[noreturn]] void raise() const;

  // From now on destructors of files leave them to the resource owner: for what runs after an ERROR,
  // which may have closed them already.
  void abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

  // For the files: runs `work`, which may raise an ERROR and has no destructors; throws SpillFailed.
  void guard(void (*work)(void *), void *argument);

 private:
  MemoryContext context_;
  ResourceOwner owner_;
  ErrorData *error_;
  bool abandoned_;
};

}  // namespace vann::pg

// run_core.cpp — see run_core.hpp and pg/README.md, "Errors".
#include "am/common/run_core.hpp"

extern "C" {
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
}

#include <new>

namespace vann::am {

bool BackendMonitor::cancelled() noexcept { return QueryCancelPending || ProcDiePending; }

void BackendMonitor::progress(int stage, uint64_t done, uint64_t total) noexcept {
  if (!shown_) return;
  if (stage != stage_)
    pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, first_phase_ + stage);
  // Preparations of a stage do not know its total yet.
  if (stage != stage_ || (total != total_ && total != 0))
    pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(total));
  stage_ = stage;
  total_ = total;
  pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(done));
}

void run_core(void (*work)(void *), void *argument, const pg::SpillSpace *space) {
  enum { kFine, kStopped, kOutOfMemory, kSpillFailed, kFailed } outcome = kFine;
  char message[256] = "";
  try {
    work(argument);
  } catch (const parallel::Cancelled &) {
    outcome = kStopped;
  } catch (const std::bad_alloc &) {
    outcome = kOutOfMemory;
  } catch (const spill::SpillFailed &) {
    outcome = kSpillFailed;
  } catch (const std::exception &failure) {
    outcome = kFailed;
    strlcpy(message, failure.what(), sizeof(message));
  }
  if (outcome == kStopped) {
    CHECK_FOR_INTERRUPTS();
    ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("index build was cancelled")));
  }
  if (outcome == kOutOfMemory)
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
                    errdetail("What the build of the index holds did not fit into memory.")));
  if (outcome == kSpillFailed) {
    if (space == nullptr) elog(ERROR, "index build spilled without a space");
    space->raise();
  }
  if (outcome == kFailed)
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("index build failed: %s", message)));
}

}  // namespace vann::am

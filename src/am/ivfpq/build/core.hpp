// core.hpp — core work of a build, and the objects with destructors that it leaves behind.
#pragma once

#include "am/common/run_core.hpp"
#include "pg/memory.hpp"

#include <new>
#include <type_traits>

namespace vann::ivfpq {

// Build phases as pg_stat_progress_create_index shows them; 1 is core's "initializing".
enum BuildPhase : int64 {
  kPhaseSample = 2,
  kPhaseTrain,
  kPhaseMeasure,
  kPhaseCodes,
  kPhaseScan,
  kPhaseWrite,
};

// Runs core work, given as a function object without a destructor of its own; errors as run_core().
template <class Work>
void in_core(Work work, const pg::SpillSpace *space = nullptr) {
  static_assert(std::is_trivially_destructible_v<Work>);
  am::run_core([](void *argument) { (*static_cast<Work *>(argument))(); }, &work, space);
}

// Makes a core object for frames that an ERROR may leave: it goes with `context`. ERROR when memory is
// short.
template <class T>
T *make_core_object(MemoryContext context) {
  MemoryContextCallback *callback = static_cast<MemoryContextCallback *>(
      MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
  T *object = nullptr;
  in_core([&object] { object = new T; });
  callback->func = [](void *made) { delete static_cast<T *>(made); };
  callback->arg = object;
  MemoryContextRegisterResetCallback(context, callback);
  return object;
}

}  // namespace vann::ivfpq

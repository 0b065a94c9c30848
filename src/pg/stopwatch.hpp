// stopwatch.hpp — seconds, for what logs say of a build's stages.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "portability/instr_time.h"
}

namespace vann::pg {

class Stopwatch {
 public:
  Stopwatch() { INSTR_TIME_SET_CURRENT(start_); }

  // Since the construction or the last lap.
  double lap() {
    instr_time now, passed;
    INSTR_TIME_SET_CURRENT(now);
    passed = now;
    INSTR_TIME_SUBTRACT(passed, start_);
    start_ = now;
    return INSTR_TIME_GET_DOUBLE(passed);
  }

 private:
  instr_time start_;
};

}  // namespace vann::pg

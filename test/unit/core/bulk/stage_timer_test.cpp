// stage_timer_test.cpp — what the outer monitor sees of work in parts.
#include "core/bulk/stage_timer.hpp"

#include <gtest/gtest.h>

#include "unit/core/parallel/monitors.hpp"

namespace vann::bulk {
namespace {

using parallel::test::CancellingMonitor;
using parallel::test::RecordingMonitor;

void expect_report(const RecordingMonitor &monitor, int stage, uint64_t done, uint64_t total) {
  ASSERT_FALSE(monitor.reports.empty());
  EXPECT_EQ(monitor.reports.back().stage, stage);
  EXPECT_EQ(monitor.reports.back().done, done);
  EXPECT_EQ(monitor.reports.back().total, total);
}

TEST(StageTimer, PassesProgressOn) {
  RecordingMonitor outer;
  StageTimer timer(outer);
  timer.progress(2, 30, 40);
  expect_report(outer, 2, 30, 40);
  timer.progress(2, 0, 0);
  expect_report(outer, 2, 0, 0);
}

TEST(StageTimer, ShowsPartsAsProgressOfTheWhole) {
  RecordingMonitor outer;
  StageTimer timer(outer);
  timer.set_part(500, 100, 2000);
  timer.progress(1, 1, 4);
  expect_report(outer, 1, 525, 2000);
  timer.progress(1, 4, 4);
  expect_report(outer, 1, 600, 2000);
  timer.progress(1, 0, 0);  // a loop that counts nothing
  expect_report(outer, 1, 500, 2000);
  timer.set_part(0, 0, 0);
  timer.progress(1, 3, 4);
  expect_report(outer, 1, 3, 4);
}

TEST(StageTimer, CountsStagesThatRan) {
  RecordingMonitor outer;
  StageTimer timer(outer);
  timer.progress(0, 0, 1);
  timer.progress(3, 0, 1);
  // Any work that takes time.
  for (int i = 0; i < 1000; ++i) timer.progress(3, 0, 1);
  timer.stop();
  const StageSeconds once = timer.seconds();
  EXPECT_GT(once[3], 0);
  EXPECT_EQ(once[1], 0);
  timer.stop();  // nothing runs
  EXPECT_EQ(timer.seconds(), once);
  timer.progress(3, 0, 1);
  for (int i = 0; i < 1000; ++i) timer.progress(3, 0, 1);
  timer.stop();
  EXPECT_GT(timer.seconds()[3], once[3]);
}

TEST(StageTimer, PassesCancellingOn) {
  CancellingMonitor outer(1);
  StageTimer timer(outer);
  EXPECT_FALSE(timer.cancelled());
  EXPECT_TRUE(timer.cancelled());
}

}  // namespace
}  // namespace vann::bulk

// team_test.cpp — loops are covered, stopped, failed and watched as team.hpp promises.
#include "core/parallel/team.hpp"

#include <csignal>
#include <filesystem>
#include <pthread.h>
#include <stdexcept>

#include <gtest/gtest.h>

#include "monitors.hpp"

namespace vann::parallel {
namespace {

using test::CancellingMonitor;
using test::RecordingMonitor;

// Threads of this process.
size_t thread_count() {
  size_t count = 0;
  for ([[maybe_unused]] const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

// The number of threads before a test starts a team. A sanitizer's runtime may start one of its own
// together with the first of the process: that one is counted.
size_t thread_baseline() {
  std::thread([] {}).join();
  return thread_count();
}

// A joined thread may be listed for a moment after join() returned; only one that stays fails.
bool only_baseline_left(size_t baseline) {
  for (int look = 0; look < 100000; ++look) {
    if (thread_count() <= baseline) return true;
    std::this_thread::yield();
  }
  return false;
}

// Lets each of the team's threads take exactly one chunk, by waiting until all have arrived.
class Meeting {
 public:
  explicit Meeting(int expected) : missing_(expected) {}
  void arrive_and_wait() {
    --missing_;
    while (missing_ > 0) std::this_thread::yield();
  }

 private:
  std::atomic<int> missing_;
};

class TeamOf : public testing::TestWithParam<unsigned> {};

TEST_P(TeamOf, CoversEveryItemOnce) {
  for (const size_t items : {0, 1, 7, 8, 1000}) {
    RecordingMonitor monitor;
    Team team(GetParam(), monitor);
    std::vector<std::atomic<int>> visits(items);
    team.run({3, items, 8, 0, items}, [&](Worker &worker, size_t begin, size_t end) {
      EXPECT_LT(worker.index(), team.threads());
      EXPECT_LE(end - begin, 8u);
      for (size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto &count : visits) EXPECT_EQ(count, 1);
    EXPECT_TRUE(monitor.on_starting_thread);
    EXPECT_EQ(monitor.reports.back().stage, 3);
    EXPECT_EQ(monitor.reports.back().done, items);
  }
}

TEST_P(TeamOf, RethrowsTheExceptionOfABodyAfterAllThreadsEnded) {
  RecordingMonitor monitor;
  Team team(GetParam(), monitor);
  const size_t baseline = thread_baseline();
  const auto failing = [&] {
    team.run({0, 1000, 1, 0, 1000}, [](Worker &, size_t begin, size_t) {
      if (begin == 500) throw std::runtime_error("item 500");
    });
  };
  EXPECT_THROW(failing(), std::runtime_error);
  EXPECT_TRUE(only_baseline_left(baseline));
}

TEST_P(TeamOf, CancelsBeforeTheFirstChunk) {
  CancellingMonitor monitor(0);
  Team team(GetParam(), monitor);
  bool ran = false;
  EXPECT_THROW(team.run({0, 10, 1, 0, 10}, [&](Worker &, size_t, size_t) { ran = true; }),
               Cancelled);
  EXPECT_FALSE(ran);
}

TEST_P(TeamOf, CancelsChunksThatWouldNeverEnd) {
  CancellingMonitor monitor(3);
  Team team(GetParam(), monitor);
  const size_t baseline = thread_baseline();
  const auto endless = [&] {
    team.run({0, 100, 1, 0, 100}, [](Worker &worker, size_t, size_t) {
      for (;;) worker.checkpoint();
    });
  };
  EXPECT_THROW(endless(), Cancelled);
  EXPECT_TRUE(only_baseline_left(baseline));
}

INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, testing::Values(1u, 2u, 3u, 5u));

TEST(Team, ReportsProgressWithinTheStage) {
  RecordingMonitor monitor;
  Team(2, monitor).run({4, 10, 1, 90, 100}, [](Worker &, size_t, size_t) {});
  EXPECT_EQ(monitor.reports.front().done, 90u);
  EXPECT_EQ(monitor.reports.back().done, 100u);
  for (const auto &report : monitor.reports) EXPECT_EQ(report.total, 100u);
}

TEST(Team, PollsWhileOnlyHelpersWork) {
  RecordingMonitor monitor;
  Team team(2, monitor);
  Meeting meeting(2);
  team.run({0, 2, 1, 0, 2}, [&](Worker &worker, size_t, size_t) {
    meeting.arrive_and_wait();
    if (worker.index() == 0) return;
    const int polls = monitor.polls;
    while (monitor.polls < polls + 3) std::this_thread::yield();
  });
  EXPECT_GE(monitor.polls, 4);
}

TEST(Team, AHelpersFailureStopsTheStartingThread) {
  RecordingMonitor monitor;
  Team team(2, monitor);
  Meeting meeting(2);
  const auto failing = [&] {
    team.run({0, 2, 1, 0, 2}, [&](Worker &worker, size_t, size_t) {
      meeting.arrive_and_wait();
      if (worker.index() == 1) throw std::bad_alloc();
      for (;;) worker.checkpoint();
    });
  };
  EXPECT_THROW(failing(), std::bad_alloc);
}

TEST(Team, BlocksSignalsInHelpersOnly) {
  RecordingMonitor monitor;
  Team team(2, monitor);
  Meeting meeting(2);
  std::array<int, 2> blocked{-1, -1};
  team.run({0, 2, 1, 0, 2}, [&](Worker &worker, size_t, size_t) {
    meeting.arrive_and_wait();
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked[worker.index()] = sigismember(&mask, SIGINT) + sigismember(&mask, SIGTERM) +
                              sigismember(&mask, SIGUSR1) + sigismember(&mask, SIGALRM);
  });
  EXPECT_EQ(blocked[0], 0);
  EXPECT_EQ(blocked[1], 4);
}

TEST(Team, ZeroThreadsCountAsOne) {
  RecordingMonitor monitor;
  Team team(0, monitor);
  size_t items = 0;
  team.run({0, 5, 2, 0, 5}, [&](Worker &, size_t begin, size_t end) { items += end - begin; });
  EXPECT_EQ(team.threads(), 1u);
  EXPECT_EQ(items, 5u);
}

TEST(Team, PollThrowsWhenCancelled) {
  CancellingMonitor monitor(1);
  Team team(1, monitor);
  EXPECT_NO_THROW(team.poll(0, 1, 2));
  EXPECT_THROW(team.poll(0, 2, 2), Cancelled);
}

}  // namespace
}  // namespace vann::parallel

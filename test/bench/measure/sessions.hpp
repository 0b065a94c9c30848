// sessions.hpp — several connections at work at once.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "bench/engine/sql_engine.hpp"

namespace vann::bench {

// Runs one statement on each of as many connections, from the same moment; returns the seconds
// until the last ends. Throws what the first failing one threw.
double run_together(SqlEngine &engine, const std::vector<std::string> &statements);

struct Throughput {
  double per_second = 0;
  std::vector<double> microseconds;  // of every operation that ended in time
};

// Calls operation(connection, session, count), session after session in threads of their own, for
// `seconds`. `prepare` is called once on each connection before all start.
Throughput run_for(
    SqlEngine &engine, size_t sessions, double seconds,
    const std::function<void(Connection &)> &prepare,
    const std::function<void(Connection &, size_t session, size_t count)> &operation);

}  // namespace vann::bench

// cold.cpp — the first queries of a server that has just started.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <unistd.h>

#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

constexpr size_t kQueries = 100;
constexpr size_t kFirst = 10;

// Empties the operating system's cache of files, where it lets us.
bool drop_caches() {
  sync();
  std::ofstream file("/proc/sys/vm/drop_caches");
  return static_cast<bool>(file << "3" << std::flush);
}

void restart(Run &run) {
  if (std::system(run.options.restart_command.c_str()) != 0) {
    throw std::runtime_error("the server could not be restarted");
  }
}

std::vector<double> times_of(Run &run, Connection &connection) {
  std::vector<double> times;
  for (size_t i = 0; i < std::min(kQueries, run.data.queries.rows); ++i) {
    const auto started = std::chrono::steady_clock::now();
    connection.execute("nearest", run.data.queries.row(i), run.data.dims());
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
            .count());
  }
  return times;
}

}  // namespace

void measure_cold(Run &run) {
  if (run.options.restart_command.empty()) {
    return run.note("cold", "left out: the server is not ours to restart");
  }
  bool dropped = true;
  run.each_sql_engine("cold", [&](SqlEngine &engine) {
    engine.ensure_built();
    engine.run("CHECKPOINT");
    restart(run);
    dropped = drop_caches() && dropped;
    for (const auto &other : run.engines) {
      if (other->sql() != nullptr) other->sql()->reconnect();
    }
    Connection &backend = engine.backend();
    const int effort = run.good_effort(engine);
    engine.set_effort(backend, effort);
    backend.prepare("nearest", engine.statement("item", 10));
    const std::vector<double> cold = times_of(run, backend);
    const std::vector<double> warm = times_of(run, backend);
    const auto tenth = cold.begin() + static_cast<ptrdiff_t>(std::min(kFirst, cold.size()));
    run.add("cold", engine, {run.parameter(engine, effort)},
            {{"first_ms", {cold.front()}},
             {"median_of_first_10_ms", {median({cold.begin(), tenth})}},
             {"median_of_rest_ms", {median({tenth - 1, cold.end()})}},
             {"warm_ms", {median(warm)}}});
  });
  if (!dropped) {
    run.note("cold",
             "/proc/sys/vm/drop_caches could not be written: the files were still in the "
             "operating system's cache, only the server's was empty");
  }
}

}  // namespace vann::bench

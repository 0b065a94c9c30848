// build.cpp — CREATE INDEX with memory to spare, and with a tenth of what the vectors take.
#include <algorithm>

#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

// Repetitions end when they have taken so long.
constexpr double kEnoughSeconds = 120;
// PostgreSQL's least maintenance_work_mem.
constexpr size_t kLeastKilobytes = 1024;

// Of the vectors' bytes, a tenth.
size_t budget_kilobytes(const Dataset &data) {
  return std::max(kLeastKilobytes, data.indexed() * data.dims() * sizeof(float) / 10 / 1024);
}

std::vector<Value> values_of(const std::vector<BuildFigures> &builds, size_t rows) {
  std::vector<Value> values = {
      {"build_s", {}}, {"private_mb", {}}, {"index_mb", {}}, {"bytes_per_row", {}}};
  const bool in_server = builds.front().shared_bytes.has_value();
  if (in_server) {
    values.push_back({"segments_mb", {}});
    values.push_back({"temp_mb", {}});
  }
  for (const BuildFigures &build : builds) {
    values[0].readings.push_back(build.seconds);
    values[1].readings.push_back(build.private_bytes / kMegabyte);
    values[2].readings.push_back(build.index_bytes / kMegabyte);
    values[3].readings.push_back(build.index_bytes / static_cast<double>(rows));
    if (!in_server) continue;
    values[4].readings.push_back(*build.shared_bytes / kMegabyte);
    values[5].readings.push_back(*build.temp_bytes / kMegabyte);
  }
  return values;
}

template <class Build>
std::vector<BuildFigures> repeat(size_t repetitions, const Build &build) {
  std::vector<BuildFigures> builds;
  double total = 0;
  while (builds.size() < repetitions && (builds.empty() || total < kEnoughSeconds)) {
    builds.push_back(build());
    total += builds.back().seconds;
  }
  return builds;
}

}  // namespace

void measure_build(Run &run) {
  run.each_engine("build", [&](Engine &engine) {
    const SqlEngine *sql = engine.sql();
    run.add("build", engine, {{"maintenance_work_mem", sql ? sql->memory() : "no limit"}},
            values_of(repeat(run.options.repetitions, [&] { return engine.build(); }),
                      run.data.indexed()));
  });
}

void measure_budget(Run &run) {
  const std::string budget = std::to_string(budget_kilobytes(run.data)) + "kB";
  run.each_sql_engine("budget", [&](SqlEngine &engine) {
    double unbounded = 0;
    const int effort = run.fixed_effort(engine);
    for (const auto &[amount, memory] :
         {std::pair<std::string, std::string>{"enough", engine.memory()}, {"a tenth", budget}}) {
      const BuildFigures build = engine.build_index("item", memory);
      if (unbounded == 0) unbounded = build.seconds;
      std::vector<Value> values = values_of({build}, run.data.indexed());
      const Found found = engine.search(10, effort, run.data.queries.rows).found;
      values.push_back({"recall", {run.truth.recall(found, 10)}});
      values.push_back({"times_enough", {build.seconds / unbounded}});
      run.add("budget", engine,
              {{"memory", amount}, {"maintenance_work_mem", memory}, run.parameter(engine, effort)},
              std::move(values));
    }
  });
}

}  // namespace vann::bench

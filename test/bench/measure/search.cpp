// search.cpp — recall, speed and pages along the sweep of efforts.
#include <algorithm>
#include <stdexcept>

#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

// Beyond this a curve has nothing left to show.
constexpr double kSaturated = 0.9995;
constexpr size_t kExplained = 50;

Value pages(SqlEngine &engine, size_t k, int effort, size_t n_queries) {
  const SqlEngine::Pages seen =
      engine.pages_with("item_" + std::to_string(k), effort, std::min(kExplained, n_queries));
  if (seen.index_share < 0.999) throw std::runtime_error("the plan does not use the index");
  return {"pages", {seen.per_query}};
}

// Returns the recall.
double measure_point(Run &run, Engine &engine, size_t k, int effort) {
  const size_t n = run.data.queries.rows;
  engine.search(k, effort, n);  // warms caches, plan and PL/pgSQL
  std::vector<Pass> passes;
  for (size_t i = 0; i < run.options.passes; ++i) passes.push_back(engine.search(k, effort, n));
  const double recall = run.truth.recall(passes[0].found, k);
  std::vector<Value> values = {{"recall", {recall}}};
  for (Value &value : speed(passes)) values.push_back(std::move(value));
  if (SqlEngine *sql = engine.sql()) values.push_back(pages(*sql, k, effort, n));
  run.add("search", engine, {{"k", std::to_string(k)}, run.parameter(engine, effort)},
          std::move(values));
  return recall;
}

}  // namespace

void measure_search(Run &run) {
  for (const size_t k : run.options.k) {
    run.each_engine("search", [&](Engine &engine) {
      engine.ensure_built();
      const Knob &knob = engine.knob();
      for (const int effort : knob.efforts) {
        // A beam narrower than k returns less than k rows, or is widened without being asked.
        if (knob.counts_rows && static_cast<size_t>(effort) < k) continue;
        if (measure_point(run, engine, k, effort) >= kSaturated) break;
      }
    });
  }
}

}  // namespace vann::bench

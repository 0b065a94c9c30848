// churn.cpp — each round deletes a tenth of the rows, vacuums, and inserts the same vectors as new
// rows: the contents stay, so that recall can be compared, while the index changes.
#include "bench/measure/change_table.hpp"
#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

// One point per effort; size and times stand at the first.
void note_state(Run &run, SqlEngine &engine, const ChangeTable &table,
                const std::vector<int> &efforts, size_t round, std::vector<Value> times) {
  const Present present = [&](size_t row) { return row >= table.first(); };
  times.insert(times.begin(), {"index_mb", {engine.index_bytes("change") / kMegabyte}});
  for (const int effort : efforts) {
    std::vector<Value> values = {{"recall", {table.recall(engine, effort, present)}}};
    for (Value &time : times) values.push_back(std::move(time));
    times.clear();
    run.add("churn", engine,
            {{"replaced", std::to_string(10 * round) + " %"}, run.parameter(engine, effort)},
            std::move(values));
  }
}

std::vector<Value> replace_tenth(Run &run, SqlEngine &engine, const ChangeTable &table,
                                 size_t phase) {
  Connection &backend = engine.backend();
  const std::string tenth = "id % 10 = " + std::to_string(phase);
  backend.run("DELETE FROM change WHERE " + tenth);
  const double vacuuming = backend.seconds("VACUUM (INDEX_CLEANUP on, PARALLEL 0) change");
  const std::string shift = std::to_string(run.data.base.rows);
  const double inserting = backend.seconds(
      "INSERT INTO change SELECT id + " + shift + ", bucket, region, n, v FROM item WHERE id < " +
      std::to_string(table.first() + table.rows()) + " AND " + tenth + " ORDER BY id");
  return {{"vacuum_s", {vacuuming}},
          {"inserts_per_s", {static_cast<double>(table.rows()) / 10 / inserting}}};
}

}  // namespace

void measure_churn(Run &run) {
  const ChangeTable table(run);
  run.each_sql_engine("churn", [&](SqlEngine &engine) {
    table.create(engine);
    const std::vector<int> efforts = table.efforts(engine);
    note_state(run, engine, table, efforts, 0, {});
    for (size_t round = 1; round <= run.options.churn_rounds; ++round) {
      note_state(run, engine, table, efforts, round, replace_tenth(run, engine, table, round - 1));
    }
  });
}

}  // namespace vann::bench

// change_table.cpp — a smaller copy of the table of items.
#include "bench/measure/change_table.hpp"

#include <algorithm>

namespace vann::bench {

ChangeTable::ChangeTable(Run &run)
    : run_(run), rows_(std::min(run.options.change_rows, run.data.indexed())),
      truth_(run.data, {0, run.data.held + rows_}, run.options.cache) {}

void create_change(const Run &run, SqlEngine &engine, const std::string &condition) {
  engine.run("DROP TABLE IF EXISTS change");
  // Room for rows that are updated in their page.
  engine.run(
      "CREATE TABLE change (LIKE item INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (id)) WITH "
      "(fillfactor = 90, "
      "autovacuum_enabled = off, parallel_workers = " +
      std::to_string(run.options.workers) + ")");
  engine.run("INSERT INTO change SELECT * FROM item WHERE " + condition + " ORDER BY id");
  engine.run("VACUUM ANALYZE change");
  engine.build_index("change", engine.memory());
  engine.define_search("change", "change", 10);
}

void ChangeTable::create(SqlEngine &engine) const {
  create_change(run_, engine, "id < " + std::to_string(first() + rows_));
}

std::vector<int> ChangeTable::efforts(SqlEngine &engine) const {
  const Present created = [this](size_t row) { return row >= first(); };
  return compared_efforts(engine.knob(),
                          [&](int effort) { return recall(engine, effort, created); });
}

double ChangeTable::recall(SqlEngine &engine, int effort, const Present &present) const {
  Found found = engine.search_with("change", effort, run_.data.queries.rows).found;
  const auto modulus = static_cast<int64_t>(run_.data.base.rows);
  for (std::vector<int64_t> &ids : found) {
    for (int64_t &id : ids) id %= modulus;
  }
  return truth_.recall(found, 10, present);
}

}  // namespace vann::bench

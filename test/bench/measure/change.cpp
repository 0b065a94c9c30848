// change.cpp — what writing costs: inserts into an empty and a full index, updates of another
// column, deletes and VACUUM.
#include <algorithm>

#include "bench/measure/change_table.hpp"
#include "bench/measure/measures.hpp"
#include "bench/measure/sessions.hpp"

namespace vann::bench {
namespace {

// Deleted rows: every tenth.
constexpr size_t kDeleteStride = 10;
constexpr size_t kDeletePhase = 3;

class Change {
 public:
  Change(Run &run, SqlEngine &engine, const ChangeTable &table)
      : run_(run), engine_(engine), table_(table) {}

  void operator()() {
    create_functions();
    for (const size_t sessions : {1, 2}) insert_into_empty(sessions);
    table_.create(engine_);
    efforts_ = table_.efforts(engine_);
    note_recall("built", [this](size_t row) { return row >= table_.first(); });
    const size_t half = run_.data.held / 2;
    insert("full", 1, 0, half);
    insert("full", 2, half, 2 * half);
    inserted_ = 2 * half;
    const Present all = [this](size_t row) { return row < inserted_ || row >= table_.first(); };
    note_recall("inserted", all);
    update("in place");
    engine_.run("CREATE INDEX change_n_idx ON change (n)");
    update("with an index on it");
    engine_.run("DROP INDEX change_n_idx");
    engine_.run("VACUUM (INDEX_CLEANUP on, PARALLEL 0) change");
    note_recall("updated", all);
    delete_and_vacuum();
    note_recall("deleted and vacuumed",
                [&](size_t row) { return all(row) && row % kDeleteStride != kDeletePhase; });
  }

 private:
  void create_functions();
  void insert_into_empty(size_t sessions);
  void insert(const std::string &index, size_t sessions, size_t first, size_t last);
  std::vector<Value> timed_insert(const std::string &table, size_t sessions, size_t first,
                                  size_t last);
  void update(const std::string &kind);
  void delete_and_vacuum();
  void note_recall(const std::string &state, const Present &present);

  Run &run_;
  SqlEngine &engine_;
  const ChangeTable &table_;
  std::vector<int> efforts_;  // of the searches between the changes
  size_t inserted_ = 0;
};

// One statement per row, each planned once, in one transaction: commits are not part of the
// figures.
void Change::create_functions() {
  engine_.run(R"(
    CREATE OR REPLACE FUNCTION insert_held(target regclass, first int, last int) RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        row record;
    BEGIN
        FOR row IN SELECT id, v FROM held WHERE id >= first AND id < last LOOP
            IF target = to_regclass('fresh') THEN
                INSERT INTO fresh (id, v) VALUES (row.id, row.v);
            ELSE
                INSERT INTO change (id, v) VALUES (row.id, row.v);
            END IF;
        END LOOP;
    END $$)");
  engine_.run(R"(
    CREATE OR REPLACE FUNCTION update_rows(first int, step int, count int) RETURNS void
    LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 0 .. count - 1 LOOP
            UPDATE change SET n = n + 1 WHERE id = first + i * step;
        END LOOP;
    END $$)");
}

std::vector<Value> Change::timed_insert(const std::string &table, size_t sessions, size_t first,
                                        size_t last) {
  std::vector<std::string> statements;
  for (size_t i = 0; i < sessions; ++i) {
    statements.push_back("SELECT insert_held('" + table + "', " +
                         std::to_string(first + (last - first) * i / sessions) + ", " +
                         std::to_string(first + (last - first) * (i + 1) / sessions) + ")");
  }
  const double rows = static_cast<double>(last - first);
  Connection &backend = engine_.backend();
  const std::string before = backend.value("SELECT pg_current_wal_insert_lsn()");
  const double seconds = run_together(engine_, statements);
  const double wal =
      backend.number("SELECT pg_current_wal_insert_lsn() - '" + before + "'::pg_lsn");
  return {{"rows_per_s", {rows / seconds}}, {"wal_bytes_per_row", {wal / rows}}};
}

void Change::insert(const std::string &index, size_t sessions, size_t first, size_t last) {
  run_.add("insert", engine_, {{"index", index}, {"clients", std::to_string(sessions)}},
           timed_insert("change", sessions, first, last));
}

void Change::insert_into_empty(size_t sessions) {
  std::vector<Value> sum = {{"rows_per_s", {}}, {"wal_bytes_per_row", {}}};
  for (size_t i = 0; i < run_.options.repetitions; ++i) {
    engine_.run("DROP TABLE IF EXISTS fresh");
    engine_.run(
        "CREATE TABLE fresh (LIKE item INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (id))");
    engine_.build_index("fresh", engine_.memory());
    const std::vector<Value> once = timed_insert("fresh", sessions, 0, run_.data.held);
    for (size_t j = 0; j < sum.size(); ++j) sum[j].readings.push_back(once[j].readings[0]);
  }
  engine_.run("DROP TABLE fresh");
  run_.add("insert", engine_, {{"index", "empty"}, {"clients", std::to_string(sessions)}}, sum);
}

void Change::update(const std::string &kind) {
  const size_t count = std::min(run_.data.held, table_.rows() / 10);
  Connection &backend = engine_.backend();
  const std::string hot = "SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'change'";
  const auto flush = [&] {
    if (backend.number("SHOW server_version_num") < 150000) return;
    backend.run("SELECT pg_stat_force_next_flush()");
    backend.run("SELECT 1");
  };
  flush();
  const double hot_before = backend.number(hot);
  const std::string before = backend.value("SELECT pg_current_wal_insert_lsn()");
  const double seconds = backend.seconds("SELECT update_rows(" + std::to_string(table_.first()) +
                                         ", 10, " + std::to_string(count) + ")");
  const double wal =
      backend.number("SELECT pg_current_wal_insert_lsn() - '" + before + "'::pg_lsn");
  flush();
  const double rows = static_cast<double>(count);
  run_.add("update", engine_, {{"column", kind}},
           {{"rows_per_s", {rows / seconds}},
            {"hot_share", {(backend.number(hot) - hot_before) / rows}},
            {"wal_bytes_per_row", {wal / rows}}});
}

void Change::delete_and_vacuum() {
  Connection &backend = engine_.backend();
  const double deleting =
      backend.seconds("DELETE FROM change WHERE id % " + std::to_string(kDeleteStride) + " = " +
                      std::to_string(kDeletePhase));
  const double vacuuming = backend.seconds("VACUUM (INDEX_CLEANUP on, PARALLEL 0) change");
  run_.add("vacuum", engine_, {}, {{"delete_s", {deleting}}, {"vacuum_s", {vacuuming}}});
}

void Change::note_recall(const std::string &state, const Present &present) {
  for (const int effort : efforts_) {
    run_.add("change recall", engine_, {{"state", state}, run_.parameter(engine_, effort)},
             {{"recall", {table_.recall(engine_, effort, present)}}});
  }
}

}  // namespace

void measure_change(Run &run) {
  const ChangeTable table(run);
  run.each_sql_engine("change", [&](SqlEngine &engine) { Change(run, engine, table)(); });
}

}  // namespace vann::bench

// sql_engine.cpp — the life of one index: load, build, search, insert, delete, vacuum.
#include "sql_engine.hpp"

#include <chrono>
#include <iostream>
#include <string>

#include "connection.hpp"

namespace vann::bench {
namespace {

constexpr const char *kIndex = "bench_item_v_idx";
// Deleted rows: every tenth.
constexpr size_t kDeleteStride = 10;
constexpr size_t kDeletePhase = 3;
// Above this a row with its vector does not fit a page, and the vector is stored out of line.
constexpr size_t kPlainDims = 1900;

class SqlEngine {
 public:
  SqlEngine(const std::string &extension, const Options &options, const Dataset &data,
            const GroundTruth &truth)
      : options_(options), data_(data), truth_(truth), indexed_(data.base.rows - options.inserts),
        server_(options.server), backend_(create_database(extension)) {
    result_.engine = extension;
    result_.version =
        backend_.value("SELECT extversion FROM pg_extension WHERE extname = '" + extension + "'");
  }

  EngineResult measure() {
    load();
    build();
    search();
    insert();
    vacuum();
    return result_;
  }

 private:
  std::string create_database(const std::string &extension) {
    const std::string name = "bench_" + extension;
    server_.run("DROP DATABASE IF EXISTS " + name);
    server_.run("CREATE DATABASE " + name);
    const std::string conninfo = options_.server + " dbname=" + name;
    Connection(conninfo).run("CREATE EXTENSION " + extension);
    return conninfo;
  }

  void say(const std::string &step) const { std::cerr << result_.engine << ": " << step << "\n"; }

  std::string operator_name() const { return data_.metric == Metric::kL2 ? "<->" : "<=>"; }
  std::string operator_class() const {
    return data_.metric == Metric::kL2 ? "vector_l2_ops" : "vector_cosine_ops";
  }
  // The measured statement's rows for the query vector `q`.
  std::string nearest(const std::string &q) const {
    return "SELECT id FROM bench_item ORDER BY v " + operator_name() + " " + q + " LIMIT " +
           std::to_string(options_.k);
  }

  double timed(const std::string &sql) {
    const auto started = std::chrono::steady_clock::now();
    backend_.run(sql);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  }

  void create_tables();
  void create_functions();
  void load();
  void build();
  void search();
  Pass search_once();
  double recall_at(int ef_search, const Present &present);
  double buffers_per_query();
  void insert();
  void vacuum();

  const Options &options_;
  const Dataset &data_;
  const GroundTruth &truth_;
  const size_t indexed_;  // rows of the base that the build sees
  Connection server_;
  Connection backend_;
  EngineResult result_;
};

void SqlEngine::create_tables() {
  const std::string type = "vector(" + std::to_string(data_.base.dims) + ")";
  const std::string columns = " (id bigint, v " + type + ")";
  backend_.run("CREATE TABLE bench_item (id bigint PRIMARY KEY, v " + type + ")");
  if (!options_.column_options.empty()) {
    backend_.run("ALTER TABLE bench_item ALTER v SET " + options_.column_options);
  }
  backend_.run("CREATE TABLE bench_held" + columns);
  backend_.run("CREATE TABLE bench_query" + columns);
  if (data_.base.dims <= kPlainDims) {
    // Fetching a query vector from TOAST would be part of each measured search.
    backend_.run("ALTER TABLE bench_query ALTER v SET STORAGE PLAIN");
  }
  // A table whose vectors lie in TOAST looks too small for parallel workers.
  backend_.run("ALTER TABLE bench_item SET (autovacuum_enabled = off, parallel_workers = " +
               std::to_string(options_.workers) + ")");
}

void SqlEngine::create_functions() {
  backend_.run(R"(
    CREATE FUNCTION bench_search(OUT ids bigint[], OUT elapsed float8) RETURNS SETOF record
    LANGUAGE plpgsql AS $$
    DECLARE
        q vector;
        started timestamptz;
    BEGIN
        FOR q IN SELECT v FROM bench_query ORDER BY id LOOP
            started := clock_timestamp();
            ids := ARRAY()" +
               nearest("q") + R"();
            elapsed := extract(epoch FROM clock_timestamp() - started) * 1e6;
            RETURN NEXT;
        END LOOP;
    END $$)");
  backend_.run(R"(
    CREATE FUNCTION bench_buffers(sample int) RETURNS float8
    LANGUAGE plpgsql AS $$
    DECLARE
        q vector;
        plan json;
        total float8 := 0;
    BEGIN
        FOR q IN SELECT v FROM bench_query ORDER BY id LIMIT sample LOOP
            EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT json) )" +
               nearest("$1") + R"('
                INTO plan USING q;
            IF plan::text NOT LIKE '%"Index Name": ")" +
               kIndex + R"("%' THEN
                RAISE EXCEPTION 'the plan does not use the index: %', plan;
            END IF;
            total := total + (plan->0->'Plan'->>'Shared Hit Blocks')::float8
                + (plan->0->'Plan'->>'Shared Read Blocks')::float8;
        END LOOP;
        RETURN total / sample;
    END $$)");
  backend_.run(R"(
    CREATE FUNCTION bench_insert() RETURNS void
    LANGUAGE plpgsql AS $$
    DECLARE
        held record;
    BEGIN
        FOR held IN SELECT id, v FROM bench_held ORDER BY id LOOP
            INSERT INTO bench_item VALUES (held.id, held.v);
        END LOOP;
    END $$)");
}

void SqlEngine::load() {
  say("loading " + std::to_string(indexed_) + " rows");
  backend_.run("SET client_min_messages = warning");
  backend_.run("SET jit = off");
  backend_.run("SET plan_cache_mode = force_generic_plan");
  backend_.run("SET max_parallel_workers_per_gather = 0");
  backend_.run("SET maintenance_work_mem = '" + options_.memory + "'");
  backend_.run("SET max_parallel_maintenance_workers = " + std::to_string(options_.workers));
  for (const std::string &setting : options_.settings) backend_.run("SET " + setting);
  create_tables();
  backend_.copy_rows("bench_item", data_.base, 0, indexed_);
  backend_.copy_rows("bench_held", data_.base, indexed_, data_.base.rows);
  backend_.copy_rows("bench_query", data_.queries, 0, data_.queries.rows);
  backend_.run("VACUUM ANALYZE bench_item");
  backend_.run("CHECKPOINT");
  create_functions();
}

void SqlEngine::build() {
  say("building the index");
  result_.build_seconds =
      timed(std::string("CREATE INDEX ") + kIndex + " ON bench_item USING hnsw (v " +
            operator_class() + ") WITH (m = " + std::to_string(options_.m) +
            ", ef_construction = " + std::to_string(options_.ef_construction) + ")");
  result_.index_bytes =
      std::stoll(backend_.value(std::string("SELECT pg_relation_size('") + kIndex + "')"));
  backend_.run("SET enable_seqscan = off");
  backend_.run("SET enable_sort = off");
}

Pass SqlEngine::search_once() {
  const Connection::Result rows = backend_.run("SELECT * FROM bench_search()");
  Pass pass;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    pass.found.push_back(parse_array(PQgetvalue(rows.get(), i, 0)));
    pass.microseconds.push_back(std::stod(PQgetvalue(rows.get(), i, 1)));
  }
  return pass;
}

double SqlEngine::buffers_per_query() {
  return std::stod(backend_.value("SELECT bench_buffers(50)"));
}

void SqlEngine::search() {
  for (const int ef : options_.ef_search) {
    say("searching with ef_search " + std::to_string(ef));
    backend_.run("SET hnsw.ef_search = " + std::to_string(ef));
    const double buffers = buffers_per_query();
    search_once();  // warms caches, plan and PL/pgSQL
    std::vector<Pass> passes;
    for (size_t i = 0; i < options_.passes; ++i) passes.push_back(search_once());
    SearchPoint point = summarize(ef, passes);
    point.recall =
        truth_.recall(passes[0].found, options_.k, [this](size_t row) { return row < indexed_; });
    point.buffers = buffers;
    result_.curve.push_back(point);
  }
}

double SqlEngine::recall_at(int ef_search, const Present &present) {
  backend_.run("SET hnsw.ef_search = " + std::to_string(ef_search));
  return truth_.recall(search_once().found, options_.k, present);
}

void SqlEngine::insert() {
  if (options_.inserts == 0) return;
  say("inserting " + std::to_string(options_.inserts) + " rows");
  const double rows = static_cast<double>(options_.inserts);
  const std::string before = backend_.value("SELECT pg_current_wal_insert_lsn()");
  result_.inserts_per_second = rows / timed("SELECT bench_insert()");
  const std::string written =
      backend_.value("SELECT pg_current_wal_insert_lsn() - '" + before + "'::pg_lsn");
  result_.wal_bytes_per_insert = std::stod(written) / rows;
  result_.recall_after_inserts = recall_at(kChangedEf, [](size_t) { return true; });
}

void SqlEngine::vacuum() {
  say("deleting a tenth, then VACUUM");
  backend_.run("DELETE FROM bench_item WHERE id % " + std::to_string(kDeleteStride) + " = " +
               std::to_string(kDeletePhase));
  result_.vacuum_seconds = timed("VACUUM (INDEX_CLEANUP on, PARALLEL 0) bench_item");
  result_.recall_after_vacuum =
      recall_at(kChangedEf, [](size_t row) { return row % kDeleteStride != kDeletePhase; });
}

}  // namespace

EngineResult measure_extension(const std::string &extension, const Options &options,
                               const Dataset &data, const GroundTruth &truth) {
  return SqlEngine(extension, options, data, truth).measure();
}

}  // namespace vann::bench

// sql_engine.cpp — database, tables, index, and the functions that search.
#include "bench/engine/sql_engine.hpp"

#include <stdexcept>

#include "bench/engine/memory_watch.hpp"

namespace vann::bench {
namespace {

// Above this a row with its vector does not fit a page, and the vector is stored out of line.
constexpr size_t kPlainDims = 1900;

std::string parenthesized(const std::string &text) { return "(" + text + ")"; }

// Leader and workers of a parallel statement.
std::vector<int> processes_of(Connection &observer, int leader) {
  const std::string pid = std::to_string(leader);
  const Connection::Result rows = observer.run(
      "SELECT pid FROM pg_stat_activity WHERE pid = " + pid + " OR leader_pid = " + pid);
  std::vector<int> pids;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    pids.push_back(std::stoi(PQgetvalue(rows.get(), i, 0)));
  }
  return pids;
}

}  // namespace

SqlEngine::SqlEngine(const std::string &extension, const Options &options, const Dataset &data,
                     const Attributes &attributes)
    : Engine(extension, ""), options_(options), data_(data), attributes_(attributes),
      database_("bench_" + extension), conninfo_(options.server + " dbname=" + database_) {
  create_database();
  backend_ = connect();
  version_ =
      backend_->value("SELECT extversion FROM pg_extension WHERE extname = '" + extension + "'");
  create_tables();
  load();
}

void SqlEngine::create_database() {
  Connection server(options_.server);
  server.run("SET client_min_messages = warning");
  server.run("DROP DATABASE IF EXISTS " + database_);
  server.run("CREATE DATABASE " + database_);
  Connection(conninfo_).run("CREATE EXTENSION " + name_);
}

std::unique_ptr<Connection> SqlEngine::connect() const {
  auto connection = std::make_unique<Connection>(conninfo_);
  connection->run("SET client_min_messages = warning");
  connection->run("SET jit = off");
  connection->run("SET plan_cache_mode = force_generic_plan");
  connection->run("SET max_parallel_workers_per_gather = 0");
  connection->run("SET max_parallel_maintenance_workers = " + std::to_string(options_.workers));
  connection->run("SET enable_seqscan = off");
  connection->run("SET enable_sort = off");
  // The extension's settings exist once its library is loaded, which a value of its type does.
  connection->run("SELECT '[1]'::vector");
  for (const std::string &setting : options_.settings) connection->run("SET " + setting);
  return connection;
}

void SqlEngine::force_index(bool force) {
  run(std::string("SET enable_seqscan = ") + (force ? "off" : "on"));
  run(std::string("SET enable_sort = ") + (force ? "off" : "on"));
}

void SqlEngine::create_tables() {
  const std::string type = "vector(" + std::to_string(data_.dims()) + ")";
  run("CREATE TABLE item (id bigint PRIMARY KEY, bucket int, region int, n int DEFAULT 0, v " +
      type + ")");
  if (!options_.column_options.empty()) {
    run("ALTER TABLE item ALTER v SET " + options_.column_options);
  }
  run("CREATE TABLE held (id bigint, v " + type + ")");
  run("CREATE TABLE query (id int PRIMARY KEY, near int, far int, v " + type + ")");
  if (data_.dims() <= kPlainDims) {
    // Fetching a query's vector from TOAST would be part of each measured search.
    run("ALTER TABLE query ALTER v SET STORAGE PLAIN");
  }
  // A table whose vectors lie in TOAST looks too small for parallel workers.
  run("ALTER TABLE item SET (autovacuum_enabled = off, parallel_workers = " +
      std::to_string(options_.workers) + ")");
}

void SqlEngine::load() {
  const size_t dims = data_.dims();
  Copy items(*backend_, "item (id, bucket, region, v)");
  for (size_t i = data_.held; i < data_.base.rows; ++i) {
    items.row(4).add(static_cast<int64_t>(i));
    items.add(attributes_.bucket[i]).add(attributes_.region[i]).add(data_.base.row(i), dims);
  }
  items.finish();
  Copy held(*backend_, "held (id, v)");
  for (size_t i = 0; i < data_.held; ++i) {
    held.row(2).add(static_cast<int64_t>(i)).add(data_.base.row(i), dims);
  }
  held.finish();
  Copy queries(*backend_, "query (id, near, far, v)");
  for (size_t i = 0; i < data_.queries.rows; ++i) {
    queries.row(4).add(static_cast<int32_t>(i));
    queries.add(attributes_.near[i]).add(attributes_.far[i]).add(data_.queries.row(i), dims);
  }
  queries.finish();
  run("VACUUM ANALYZE item");
  run("VACUUM ANALYZE held");
  run("VACUUM ANALYZE query");
  run("CHECKPOINT");
}

std::string SqlEngine::memory() const {
  if (!options_.memory.empty()) return options_.memory;
  constexpr size_t kGraphBytes = 1500, kStep = size_t{64} << 20;
  const size_t bytes = data_.indexed() * (2 * sizeof(float) * data_.dims() + kGraphBytes);
  return std::to_string((bytes / kStep + 1) * 64) + "MB";
}

BuildFigures SqlEngine::build() {
  state_ = State::kFailed;
  const BuildFigures figures = build_index("item", memory());
  state_ = State::kBuilt;
  return figures;
}

BuildFigures SqlEngine::build_index(const std::string &table, const std::string &memory) {
  drop_index(table);
  run("SET maintenance_work_mem = '" + memory + "'");
  run("SET statement_timeout = " +
      std::to_string(static_cast<int64_t>(options_.build_limit * 1e3)));
  Connection observer(conninfo_);
  const std::string temp =
      "SELECT temp_bytes FROM pg_stat_database WHERE datname = '" + database_ + "'";
  const double temp_before = observer.number(temp);
  BuildFigures figures;
  MemoryWatch watch(
      [&observer, leader = backend_->backend_pid()] { return processes_of(observer, leader); });
  try {
    figures.seconds =
        backend_->seconds("CREATE INDEX " + index_of(table) + " ON " + table + " USING hnsw (v " +
                          metric_class(data_.metric) + ") WITH (m = " + std::to_string(options_.m) +
                          ", ef_construction = " + std::to_string(options_.ef_construction) + ")");
  } catch (const std::exception &error) {
    watch.stop();
    run("SET statement_timeout = 0");
    if (std::string(error.what()).find("statement timeout") == std::string::npos) throw;
    throw std::runtime_error("given up after --build_limit=" +
                             std::to_string(static_cast<int>(options_.build_limit)) + " seconds");
  }
  watch.stop();
  run("SET statement_timeout = 0");
  // Statistics reach the view when a backend reports them; until PostgreSQL 15 soon after.
  if (backend_->number("SHOW server_version_num") >= 150000)
    run("SELECT pg_stat_force_next_flush()");
  figures.private_bytes = static_cast<double>(watch.private_bytes());
  figures.shared_bytes = static_cast<double>(watch.segment_bytes());
  figures.temp_bytes = observer.number(temp) - temp_before;
  figures.index_bytes = index_bytes(table);
  return figures;
}

double SqlEngine::index_bytes(const std::string &table) {
  return backend_->number("SELECT pg_relation_size('" + index_of(table) + "')");
}

std::string SqlEngine::nearest(const std::string &table, size_t k, const std::string &vector,
                               const std::string &condition) const {
  return "SELECT id FROM " + table + (condition.empty() ? "" : " WHERE " + condition) +
         " ORDER BY v " + metric_operator(data_.metric) + " " + vector + " LIMIT " +
         std::to_string(k);
}

std::string SqlEngine::statement(const std::string &table, size_t k) const {
  return nearest(table, k, "$1", "");
}

void SqlEngine::define_search(const std::string &name, const std::string &table, size_t k,
                              const std::string &condition) {
  run("DROP FUNCTION IF EXISTS " + name + "_search, " + name + "_pages");
  run("CREATE FUNCTION " + name + R"(_search(n int, OUT ids bigint[], OUT elapsed float8)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
    DECLARE
        q_v vector;
        q_near int;
        q_far int;
        started timestamptz;
    BEGIN
        FOR q_v, q_near, q_far IN
            SELECT v, near, far FROM query WHERE query.id < n ORDER BY query.id
        LOOP
            started := clock_timestamp();
            ids := ARRAY)" +
      parenthesized(nearest(table, k, "q_v", condition)) + R"(;
            elapsed := extract(epoch FROM clock_timestamp() - started) * 1e6;
            RETURN NEXT;
        END LOOP;
    END $$)");
  // EXECUTE takes its parameters by number.
  std::string numbered = condition;
  for (const auto &[variable, number] : {std::pair{"q_near", "$2"}, {"q_far", "$3"}}) {
    const size_t at = numbered.find(variable);
    if (at != std::string::npos) numbered.replace(at, std::string(variable).size(), number);
  }
  run("CREATE FUNCTION " + name + R"(_pages(n int, OUT pages float8, OUT index_share float8)
    LANGUAGE plpgsql AS $$
    DECLARE
        q record;
        plan json;
    BEGIN
        pages := 0;
        index_share := 0;
        FOR q IN SELECT v, near, far FROM query WHERE id < n ORDER BY id LOOP
            EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT json) )" +
      nearest(table, k, "$1", numbered) + R"(' INTO plan USING q.v, q.near, q.far;
            pages := pages + (plan->0->'Plan'->>'Shared Hit Blocks')::float8 / n
                + (plan->0->'Plan'->>'Shared Read Blocks')::float8 / n;
            IF plan::text LIKE '%"Index Name": ")" +
      index_of(table) + R"("%' THEN
                index_share := index_share + 1.0 / n;
            END IF;
        END LOOP;
    END $$)");
}

Pass SqlEngine::search_with(const std::string &name, int ef_search, size_t n_queries) {
  run("SET hnsw.ef_search = " + std::to_string(ef_search));
  const Connection::Result rows =
      backend_->run("SELECT * FROM " + name + "_search(" + std::to_string(n_queries) + ")");
  Pass pass;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    pass.found.push_back(parse_array(PQgetvalue(rows.get(), i, 0)));
    pass.microseconds.push_back(std::stod(PQgetvalue(rows.get(), i, 1)));
  }
  return pass;
}

SqlEngine::Pages SqlEngine::pages_with(const std::string &name, int ef_search, size_t n_queries) {
  run("SET hnsw.ef_search = " + std::to_string(ef_search));
  const Connection::Result row =
      backend_->run("SELECT * FROM " + name + "_pages(" + std::to_string(n_queries) + ")");
  return {std::stod(PQgetvalue(row.get(), 0, 0)), std::stod(PQgetvalue(row.get(), 0, 1))};
}

Pass SqlEngine::search(size_t k, int ef_search, size_t n_queries) {
  const std::string name = "item_" + std::to_string(k);
  if (backend_->value("SELECT to_regproc('" + name + "_search')").empty()) {
    define_search(name, "item", k);
  }
  return search_with(name, ef_search, n_queries);
}

}  // namespace vann::bench

// sql_engine.cpp — database, tables and index; sql_search.cpp has the functions that search.
#include "bench/engine/sql_engine.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "bench/engine/memory_watch.hpp"

namespace vann::bench {
namespace {

// Above this a row with its vector does not fit a page, and the vector is stored out of line.
constexpr size_t kPlainDims = 1900;

std::string database_of(const EngineSpec &spec) {
  std::string name = "bench_" + spec.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

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

SqlEngine::SqlEngine(const EngineSpec &spec, const Options &options, const Dataset &data,
                     const Attributes &attributes)
    : Engine(spec, "", knob_of(spec, options, data.indexed())), options_(options), data_(data),
      attributes_(attributes), database_(database_of(spec)),
      conninfo_(options.server + " dbname=" + database_) {
  create_database();
  backend_ = connect();
  version_ = backend_->value("SELECT extversion FROM pg_extension WHERE extname = '" +
                             std::string(spec.kind.extension) + "'");
  create_tables();
  load();
}

void SqlEngine::create_database() {
  Connection server(options_.server);
  server.run("SET client_min_messages = warning");
  server.run("DROP DATABASE IF EXISTS " + database_);
  server.run("CREATE DATABASE " + database_);
  Connection(conninfo_).run(std::string("CREATE EXTENSION ") + spec_.kind.extension);
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

void SqlEngine::set_effort(Connection &session, int effort) const {
  session.run(std::string("SET ") + spec_.kind.access_method + "." + knob_.name + " = " +
              std::to_string(effort));
}

void SqlEngine::iterate(bool until_limit) {
  const std::string setting = std::string(spec_.kind.access_method) + ".iterative_scan";
  run(until_limit ? "SET " + setting + " = " + spec_.kind.iterative_scan : "RESET " + setting);
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

std::string SqlEngine::create_index(const std::string &table) {
  const double rows = backend_->number("SELECT count(*) FROM " + table);
  const std::string parameters = storage_parameters(spec_, options_, static_cast<size_t>(rows));
  return "CREATE INDEX " + index_of(table) + " ON " + table + " USING " + spec_.kind.access_method +
         " (v " + metric_class(data_.metric) + ")" +
         (parameters.empty() ? "" : " WITH (" + parameters + ")");
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
    figures.seconds = backend_->seconds(create_index(table));
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

}  // namespace vann::bench

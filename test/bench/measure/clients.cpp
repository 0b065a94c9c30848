// clients.cpp — throughput of concurrent sessions. The client's threads share the processors with
// the server, as they would under pgbench.
#include <cmath>
#include <exception>
#include <stdexcept>
#include <thread>

#include "bench/measure/change_table.hpp"
#include "bench/measure/measures.hpp"
#include "bench/measure/sessions.hpp"

namespace vann::bench {
namespace {

constexpr size_t kWarmQueries = 50;

// Sessions that search a table for one of the queries after another.
class Readers {
 public:
  Readers(Run &run, SqlEngine &engine, const std::string &table)
      : run_(run), engine_(engine), table_(table), ef_(run.good_ef(engine)) {}

  Throughput operator()(size_t sessions) {
    return run_for(
        engine_, sessions, run_.options.seconds,
        [this](Connection &connection) {
          connection.run("SET hnsw.ef_search = " + std::to_string(ef_));
          connection.prepare("nearest", engine_.statement(table_, 10));
          for (size_t i = 0; i < kWarmQueries; ++i) search(connection, i);
        },
        // Each session starts elsewhere among the queries.
        [this](Connection &connection, size_t session, size_t count) {
          search(connection, session * 61 + count);
        });
  }

  int ef() const { return ef_; }

 private:
  void search(Connection &connection, size_t number) {
    const Matrix &queries = run_.data.queries;
    connection.execute("nearest", queries.row(number % queries.rows), queries.dims);
  }

  Run &run_;
  SqlEngine &engine_;
  const std::string table_;
  const int ef_;
};

std::vector<Value> values_of(const Throughput &done) {
  if (done.microseconds.empty()) throw std::runtime_error("nothing ended in the time given");
  return {{"qps", {done.per_second}},
          {"p50_us", {percentile(done.microseconds, 0.5)}},
          {"p99_us", {percentile(done.microseconds, 0.99)}}};
}

// A held row, moved a little, so that every inserted vector is a new one.
std::vector<float> new_vector(const Dataset &data, size_t number) {
  const float *row = data.base.row(number % data.held);
  std::vector<float> vector(row, row + data.dims());
  double norm = 0;
  for (const float value : vector) norm += double{value} * value;
  const float step = static_cast<float>(0.05 * std::sqrt(norm / static_cast<double>(data.dims())));
  uint64_t state = number + 1;
  for (float &value : vector) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value += step * (static_cast<float>(state >> 40) / float{1 << 23} - 1);
  }
  return vector;
}

// Inserts one row per transaction for as long as readers read; returns rows per second.
double insert_for(Run &run, SqlEngine &engine, size_t first_number) {
  const std::string first_id = std::to_string(4 * run.data.base.rows + first_number);
  return run_for(
             engine, 1, run.options.seconds,
             [&](Connection &connection) {
               connection.run("SET synchronous_commit = off");
               connection.run("CREATE TEMP SEQUENCE number START " + first_id);
               connection.prepare("insert",
                                  "INSERT INTO change (id, v) VALUES (nextval('number'), $1)");
             },
             [&](Connection &connection, size_t, size_t count) {
               const std::vector<float> vector = new_vector(run.data, first_number + count);
               connection.execute("insert", vector.data(), vector.size());
             })
      .per_second;
}

void measure_reads(Run &run, SqlEngine &engine) {
  engine.ensure_built();
  Readers readers(run, engine, "item");
  const std::string ef = std::to_string(readers.ef());
  const double recall =
      run.truth.recall(engine.search(10, readers.ef(), run.data.queries.rows).found, 10);
  for (const size_t sessions : run.options.clients) {
    std::vector<Value> values = values_of(readers(sessions));
    values.push_back({"recall", {recall}});
    run.add("clients", engine, {{"clients", std::to_string(sessions)}, {"ef_search", ef}},
            std::move(values));
  }
}

void measure_mixed(Run &run, SqlEngine &engine, const ChangeTable &table) {
  table.create(engine);
  Readers readers(run, engine, "change");
  size_t first_number = 0;
  for (const size_t sessions : run.options.clients) {
    std::vector<Value> values;
    double inserts = 0;
    std::exception_ptr failure;
    std::jthread writer([&] {
      try {
        inserts = insert_for(run, engine, first_number);
      } catch (...) {
        failure = std::current_exception();
      }
    });
    const Throughput reads = readers(sessions);
    writer.join();
    if (failure) std::rethrow_exception(failure);
    first_number += 1'000'000;
    values = values_of(reads);
    values.push_back({"inserts_per_s", {inserts}});
    run.add("mixed", engine,
            {{"clients", std::to_string(sessions)}, {"ef_search", std::to_string(readers.ef())}},
            std::move(values));
  }
}

}  // namespace

void measure_clients(Run &run) {
  run.each_sql_engine("clients", [&](SqlEngine &engine) { measure_reads(run, engine); });
  const ChangeTable table(run);
  run.each_sql_engine("mixed", [&](SqlEngine &engine) { measure_mixed(run, engine, table); });
}

}  // namespace vann::bench

// clients.cpp — throughput of concurrent sessions. The client's threads share the processors with
// the server, as they would under pgbench.
#include <cmath>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <thread>

#include "bench/measure/change_table.hpp"
#include "bench/measure/measures.hpp"
#include "bench/measure/sessions.hpp"

namespace vann::bench {
namespace {

constexpr size_t kWarmQueries = 50;
// The time of a measure is cut into so many.
constexpr size_t kSlices = 3;

// Sessions that search a table for one of the queries after another.
class Readers {
 public:
  Readers(Run &run, SqlEngine &engine, const std::string &table, int effort)
      : run_(run), engine_(engine), table_(table), effort_(effort) {}

  Throughput operator()(size_t sessions) {
    return run_for(
        engine_, sessions, run_.options.seconds / kSlices,
        [this](Connection &connection) {
          engine_.set_effort(connection, effort_);
          connection.prepare("nearest", engine_.statement(table_, 10));
          for (size_t i = 0; i < kWarmQueries; ++i) search(connection, i);
        },
        // Each session starts elsewhere among the queries.
        [this](Connection &connection, size_t session, size_t count) {
          search(connection, session * 61 + count);
        });
  }

 private:
  void search(Connection &connection, size_t number) {
    const Matrix &queries = run_.data.queries;
    connection.execute("nearest", queries.row(number % queries.rows), queries.dims);
  }

  Run &run_;
  SqlEngine &engine_;
  const std::string table_;
  const int effort_;
};

// Values of one engine at one number of sessions, with a reading per slice of the time.
class Readings {
 public:
  void add(const Throughput &done) {
    if (done.microseconds.empty()) throw std::runtime_error("nothing ended in the time given");
    add("qps", done.per_second);
    add("p50_us", percentile(done.microseconds, 0.5));
    add("p99_us", percentile(done.microseconds, 0.99));
  }

  void add(const std::string &name, double reading) {
    for (Value &value : values) {
      if (value.name == name) return value.readings.push_back(reading);
    }
    values.push_back({name, {reading}});
  }

  std::vector<Value> values;
};

// At which each engine is measured; those that failed before have none.
using Efforts = std::map<std::string, int>;

// Measures all engines in turn, slice after slice, so that what else the machine does meets all of
// them alike; then adds the points, whose values are medians of the slices.
void measure_in_slices(Run &run, const std::string &measure, const Efforts &efforts,
                       const std::function<void(SqlEngine &, size_t sessions, Readings &)> &work) {
  for (const size_t sessions : run.options.clients) {
    std::map<std::string, Readings> readings;
    for (size_t slice = 0; slice < kSlices; ++slice) {
      run.each_sql_engine(measure, [&](SqlEngine &engine) {
        if (efforts.contains(engine.name())) work(engine, sessions, readings[engine.name()]);
      });
    }
    for (const auto &engine : run.engines) {
      const auto found = readings.find(engine->name());
      if (found == readings.end() || found->second.values.empty()) continue;
      run.add(measure, *engine,
              {{"clients", std::to_string(sessions)},
               run.parameter(*engine, efforts.at(engine->name()))},
              found->second.values);
    }
  }
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
             engine, 1, run.options.seconds / kSlices,
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

// Readers, and a writer beside them.
void measure_mixed(Run &run, SqlEngine &engine, int effort, size_t sessions, size_t first_number,
                   Readings &readings) {
  double inserts = 0;
  std::exception_ptr failure;
  std::jthread writer([&] {
    try {
      inserts = insert_for(run, engine, first_number);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  const Throughput reads = Readers(run, engine, "change", effort)(sessions);
  writer.join();
  if (failure) std::rethrow_exception(failure);
  readings.add(reads);
  readings.add("inserts_per_s", inserts);
}

}  // namespace

void measure_clients(Run &run) {
  Efforts efforts;
  std::map<std::string, double> recalls;
  run.each_sql_engine("clients", [&](SqlEngine &engine) {
    engine.ensure_built();
    const int effort = run.good_effort(engine);
    const Found found = engine.search(10, effort, run.data.queries.rows).found;
    recalls[engine.name()] = run.truth.recall(found, 10);
    efforts[engine.name()] = effort;
  });
  measure_in_slices(
      run, "clients", efforts, [&](SqlEngine &engine, size_t sessions, Readings &readings) {
        readings.add(Readers(run, engine, "item", efforts.at(engine.name()))(sessions));
        readings.add("recall", recalls.at(engine.name()));
      });
  const ChangeTable table(run);
  Efforts mixed_efforts;
  std::map<std::string, size_t> next_numbers;  // of inserted vectors
  run.each_sql_engine("mixed", [&](SqlEngine &engine) {
    table.create(engine);
    // What is good for lists of all rows is more than those of fewer rows need.
    mixed_efforts[engine.name()] =
        engine.knob().counts_rows ? run.good_effort(engine) : table.efforts(engine).back();
  });
  measure_in_slices(run, "mixed", mixed_efforts,
                    [&](SqlEngine &engine, size_t sessions, Readings &readings) {
                      measure_mixed(run, engine, mixed_efforts.at(engine.name()), sessions,
                                    next_numbers[engine.name()] += 1'000'000, readings);
                    });
}

}  // namespace vann::bench

// run.cpp — engines by name, failures as notes.
#include "bench/measure/run.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>
#include <stdexcept>

#include "bench/engine/memory_engines.hpp"

namespace vann::bench {
namespace {

std::unique_ptr<Engine> make_library(const EngineSpec &spec, const Options &options,
                                     const Dataset &data) {
  const std::string kind = spec.kind.name;
  if (kind == "hnswlib") return make_hnswlib(spec, options, data);
  if (kind == "faiss") return make_faiss(spec, options, data);
  if (kind == "faiss_ivfflat") return make_faiss_ivfflat(spec, options, data);
  return make_faiss_ivfpqfs(spec, options, data);
}

const auto kStarted = std::chrono::steady_clock::now();

double seconds_of_run() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - kStarted).count();
}

}  // namespace

Run::Run(const Options &o, const Dataset &d, const Attributes &a, Results &results)
    : options(o), data(d), attributes(a), truth(d, {d.held, d.base.rows}, o.cache),
      results_(results) {}

void Run::open_engines() {
  for (const EngineSpec &spec : parse_engines(options.engines)) {
    try {
      open(spec);
    } catch (const std::exception &error) {
      note("engines", spec.name + " could not be opened: " + error.what());
    }
  }
  if (engines.empty()) throw std::runtime_error("there is no engine to measure");
}

void Run::open(const EngineSpec &spec) {
  say("engines", spec.name);
  if (spec.kind.extension == nullptr) {
    if (auto engine = make_library(spec, options, data)) {
      engines.push_back(std::move(engine));
    } else {
      note("engines", spec.name + " is missing: it was not found when this program was built");
    }
    return;
  }
  if (Connection(options.server)
          .value(std::string("SELECT 1 FROM pg_available_extensions WHERE name = '") +
                 spec.kind.extension + "'")
          .empty()) {
    note("engines", spec.name + " is missing: the server has no extension " + spec.kind.extension);
    return;
  }
  engines.push_back(std::make_unique<SqlEngine>(spec, options, data, attributes));
}

void Run::add(const std::string &measure, const Engine &engine, Parameters parameters,
              std::vector<Value> values) {
  results_.points.push_back(
      {data.name, measure, engine.name(), std::move(parameters), std::move(values)});
}

void Run::note(const std::string &measure, const std::string &text) {
  say(measure, text);
  results_.notes.push_back({data.name, measure, text});
}

void Run::attempt(const std::string &measure, const Engine &engine,
                  const std::function<void()> &work) {
  say(measure, engine.name());
  try {
    work();
  } catch (const std::exception &error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    note(measure, engine.name() + " failed: " + text);
  }
}

void Run::each_engine(const std::string &measure, const std::function<void(Engine &)> &work) {
  for (const auto &engine : engines) attempt(measure, *engine, [&] { work(*engine); });
}

void Run::each_sql_engine(const std::string &measure,
                          const std::function<void(SqlEngine &)> &work) {
  for (const auto &engine : engines) {
    if (SqlEngine *sql = engine->sql()) attempt(measure, *engine, [&] { work(*sql); });
  }
}

void Run::say(const std::string &measure, const std::string &text) const {
  std::cerr << "[" << static_cast<int>(seconds_of_run()) << " s] " << data.name << ", " << measure
            << ": " << text << std::endl;
}

int Run::good_effort(const Engine &engine) const {
  int best_effort = engine.knob().usual.front();
  double best = 0;
  for (const Point *point : results_.of(data.name, "search")) {
    if (point->engine != engine.name() || point->parameter("k") != "10") continue;
    const double recall = point->find("recall")->median();
    if (recall <= best || best >= kGoodRecall) continue;
    best = recall;
    best_effort = std::stoi(point->parameter(engine.knob().name));
  }
  return best_effort;
}

int Run::fixed_effort(const Engine &engine) const {
  return engine.knob().counts_rows ? engine.knob().usual.front() : good_effort(engine);
}

std::vector<int> compared_efforts(const Knob &knob, const std::function<double(int)> &recall) {
  return knob.counts_rows ? knob.usual : efforts_reaching(knob.efforts, {0.95, 0.99}, recall);
}

std::vector<Value> speed(const std::vector<Pass> &passes) {
  std::vector<double> times;
  for (size_t query = 0; query < passes.front().microseconds.size(); ++query) {
    std::vector<double> readings;
    for (const Pass &pass : passes) readings.push_back(pass.microseconds[query]);
    times.push_back(median(readings));
  }
  const double total = std::accumulate(times.begin(), times.end(), 0.0);
  return {{"qps", {static_cast<double>(times.size()) * 1e6 / total}},
          {"p50_us", {percentile(times, 0.5)}},
          {"p99_us", {percentile(times, 0.99)}}};
}

}  // namespace vann::bench

// run.hpp — what the measures of one data set work with.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/data/attributes.hpp"
#include "bench/data/ground_truth.hpp"
#include "bench/engine/engine.hpp"
#include "bench/engine/sql_engine.hpp"
#include "bench/measure/results.hpp"
#include "bench/options.hpp"

namespace vann::bench {

inline constexpr double kMegabyte = 1e6;

class Run {
 public:
  // Exact answers among the indexed rows are computed here, or read from the cache. The references
  // are kept.
  Run(const Options &o, const Dataset &d, const Attributes &a, Results &results);

  // Opens the engines that the options ask for, or all that are there; notes those that are
  // missing.
  void open_engines();

  const Options &options;
  const Dataset &data;
  const Attributes &attributes;
  const GroundTruth truth;  // among the indexed rows
  std::vector<std::unique_ptr<Engine>> engines;

  RowRange indexed() const { return {data.held, data.base.rows}; }
  void add(const std::string &measure, const Engine &engine, Parameters parameters,
           std::vector<Value> values);
  void note(const std::string &measure, const std::string &text);
  // One engine's failure is noted, and the others go on.
  void each_engine(const std::string &measure, const std::function<void(Engine &)> &work);
  void each_sql_engine(const std::string &measure, const std::function<void(SqlEngine &)> &work);
  // Progress, on standard error.
  void say(const std::string &measure, const std::string &text) const;
  // The least swept effort at which the engine's recall@10 reaches kGoodRecall, else the best
  // one; the usual one where no curve was measured.
  int good_effort(const Engine &engine) const;
  // For measures at one effort: the usual one where it counts rows, else the good one, since a
  // number of lists says little by itself.
  int fixed_effort(const Engine &engine) const;
  // The effort as a parameter of a point.
  static std::pair<std::string, std::string> parameter(const Engine &engine, int effort) {
    return {engine.knob().name, std::to_string(effort)};
  }

  static constexpr double kGoodRecall = 0.99;

 private:
  void open(const EngineSpec &spec);
  void attempt(const std::string &measure, const Engine &engine, const std::function<void()> &work);

  Results &results_;
};

// Efforts at which a measure compares states of one table: the usual ones where they count rows,
// else those of the sweep that reach recalls of .95 and .99 in the first state.
std::vector<int> compared_efforts(const Knob &knob, const std::function<double(int)> &recall);

// Medians over passes of each query's time, and what comes of them: qps, p50_us, p99_us.
std::vector<Value> speed(const std::vector<Pass> &passes);

}  // namespace vann::bench

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
  // The least swept ef_search at which the engine's recall@10 reaches kGoodRecall, else the best
  // one; 40 where no curve was measured.
  int good_ef(const Engine &engine) const;

  static constexpr double kGoodRecall = 0.99;

 private:
  void open(const std::string &name);
  void attempt(const std::string &measure, const Engine &engine, const std::function<void()> &work);

  Results &results_;
};

// Medians over passes of each query's time, and what comes of them: qps, p50_us, p99_us.
std::vector<Value> speed(const std::vector<Pass> &passes);

}  // namespace vann::bench

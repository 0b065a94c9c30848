// filter.cpp — five selectivities that have nothing to do with the vectors, and two that have.
#include <algorithm>

#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

constexpr size_t kK = 10;
// A pass that takes longer is not repeated.
constexpr double kLongPass = 2e6;

struct Filter {
  std::string name;
  std::string condition;
  Allowed allowed;
};

std::vector<Filter> make_filters(const Attributes &a) {
  std::vector<Filter> filters;
  for (const auto &[limit, name] :
       {std::pair{1, "0.1 %"}, {10, "1 %"}, {100, "10 %"}, {500, "50 %"}, {900, "90 %"}}) {
    filters.push_back({name, "bucket < " + std::to_string(limit),
                       [&a, limit = limit](size_t, size_t row) { return a.bucket[row] < limit; }});
  }
  filters.push_back({"own region", "region = q_near",
                     [&a](size_t q, size_t row) { return a.region[row] == a.near[q]; }});
  filters.push_back({"other region", "region = q_far",
                     [&a](size_t q, size_t row) { return a.region[row] == a.far[q]; }});
  return filters;
}

// Share of the queries that returned fewer rows than they could.
double short_share(const Found &found, const GroundTruth &truth) {
  size_t n = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    n += found[i].size() < std::min(kK, truth.neighbors(i).size());
  }
  return static_cast<double>(n) / static_cast<double>(found.size());
}

void measure_one(Run &run, SqlEngine &engine, const Filter &filter, const GroundTruth &truth,
                 const char *plan) {
  const size_t n = std::min(run.options.filter_queries, run.data.queries.rows);
  const int effort = run.fixed_effort(engine);
  engine.define_search("filter", "item", kK, filter.condition);
  std::vector<Pass> passes = {engine.search_with("filter", effort, n)};
  double total = 0;
  for (const double time : passes[0].microseconds) total += time;
  if (total < kLongPass) {
    passes.clear();  // it warmed up
    for (size_t i = 0; i < run.options.passes; ++i) {
      passes.push_back(engine.search_with("filter", effort, n));
    }
  }
  std::vector<Value> values = {{"recall", {truth.recall(passes[0].found, kK)}},
                               {"short_share", {short_share(passes[0].found, truth)}}};
  for (Value &value : speed(passes)) values.push_back(std::move(value));
  values.push_back({"index_share", {engine.pages_with("filter", effort, 5).index_share}});
  run.add("filter", engine,
          {{"filter", filter.name}, {"plan", plan}, run.parameter(engine, effort)},
          std::move(values));
}

}  // namespace

void measure_filter(Run &run) {
  const std::vector<Filter> filters = make_filters(run.attributes);
  std::vector<GroundTruth> truths;
  for (const Filter &filter : filters) {
    truths.emplace_back(run.data, run.indexed(), run.options.cache, "filter " + filter.condition,
                        filter.allowed);
  }
  run.each_sql_engine("filter", [&](SqlEngine &engine) {
    engine.ensure_built();
    // vector_ann's default; pgvector's is to return what the first candidates leave.
    engine.iterate(true);
    for (size_t i = 0; i < filters.size(); ++i) {
      measure_one(run, engine, filters[i], truths[i], "vector index");
    }
    engine.run("CREATE INDEX item_bucket_idx ON item (bucket)");
    engine.run("CREATE INDEX item_region_idx ON item (region)");
    engine.run("ANALYZE item");
    engine.force_index(false);
    for (size_t i = 0; i < filters.size(); ++i) {
      measure_one(run, engine, filters[i], truths[i], "planner's choice");
    }
    engine.force_index(true);
    engine.run("DROP INDEX item_bucket_idx, item_region_idx");
    engine.iterate(false);
  });
}

}  // namespace vann::bench

// drift.cpp — half of a table's rows make way for rows from elsewhere: what has been learned of the
// rows, such as centroids, no longer fits those that are there.
#include "bench/data/moving.hpp"
#include "bench/measure/change_table.hpp"
#include "bench/measure/measures.hpp"

namespace vann::bench {
namespace {

class Drift {
 public:
  explicit Drift(Run &run)
      : run_(run), moving_(run.data, run.attributes, run.options.change_rows),
        before_(run.data, run.indexed(), run.options.cache, "drift before " + tag(),
                [this](size_t, size_t row) { return moving_.is_original(row); }),
        after_(run.data, run.indexed(), run.options.cache, "drift after " + tag(),
               [this](size_t, size_t row) { return moving_.stays(row) || moving_.arrives(row); }) {}

  void operator()(SqlEngine &engine) const {
    create_change(run_, engine, moving_.original_condition());
    const std::vector<int> efforts = efforts_of(engine);
    note(engine, "built", efforts, before_, {});
    Connection &backend = engine.backend();
    const double inserting = backend.seconds("INSERT INTO change SELECT * FROM item WHERE " +
                                             moving_.arriving_condition() + " ORDER BY id");
    backend.run("DELETE FROM change WHERE " + moving_.leaving_condition());
    const double vacuuming = backend.seconds("VACUUM (INDEX_CLEANUP on, PARALLEL 0) change");
    note(engine, "half replaced", efforts, after_,
         {{"inserts_per_s", {static_cast<double>(moving_.n_arriving()) / inserting}},
          {"vacuum_s", {vacuuming}}});
    const double building = engine.build_index("change", engine.memory()).seconds;
    note(engine, "built anew", efforts, after_, {{"build_s", {building}}});
  }

 private:
  std::string tag() const { return std::to_string(moving_.n_original()); }

  Found search(SqlEngine &engine, int effort) const {
    return engine.search_with("change", effort, run_.data.queries.rows).found;
  }

  std::vector<int> efforts_of(SqlEngine &engine) const {
    return compared_efforts(engine.knob(),
                            [&](int effort) { return before_.recall(search(engine, effort), 10); });
  }

  // One point per effort; size and times stand at the first.
  void note(SqlEngine &engine, const std::string &state, const std::vector<int> &efforts,
            const GroundTruth &truth, std::vector<Value> times) const {
    times.insert(times.begin(), {"index_mb", {engine.index_bytes("change") / kMegabyte}});
    for (const int effort : efforts) {
      search(engine, effort);  // warms up
      const Pass pass = engine.search_with("change", effort, run_.data.queries.rows);
      std::vector<Value> values = {{"recall", {truth.recall(pass.found, 10)}}};
      for (Value &value : speed({pass})) values.push_back(std::move(value));
      for (Value &time : times) values.push_back(std::move(time));
      times.clear();
      run_.add("drift", engine, {{"state", state}, run_.parameter(engine, effort)},
               std::move(values));
    }
  }

  Run &run_;
  const MovingRows moving_;
  const GroundTruth before_;
  const GroundTruth after_;
};

}  // namespace

void measure_drift(Run &run) {
  const Drift drift(run);
  run.each_sql_engine("drift", [&](SqlEngine &engine) { drift(engine); });
}

}  // namespace vann::bench

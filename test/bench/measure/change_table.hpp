// change_table.hpp — the table of those measures that change rows, so that `item` stays as it was
// built: the first of the indexed rows, and an index of its own.
#pragma once

#include "bench/measure/run.hpp"

namespace vann::bench {

// Creates the table `change` of those rows of `item` that meet a condition, with an index on v, and
// the search of that name for 10 rows.
void create_change(const Run &run, SqlEngine &engine, const std::string &condition);

class ChangeTable {
 public:
  explicit ChangeTable(Run &run);

  // Creates the table `change` in the engine's database.
  void create(SqlEngine &engine) const;
  // Rows in the table after create(), whose numbers start at first().
  size_t rows() const { return rows_; }
  size_t first() const { return run_.data.held; }
  // compared_efforts(), while the table is as create() left it.
  std::vector<int> efforts(SqlEngine &engine) const;
  // Recall@10 at an effort, when the table holds these rows. Ids are taken modulo the number of
  // rows of the base: a row that came back under a new id counts as itself.
  double recall(SqlEngine &engine, int effort, const Present &present) const;

 private:
  Run &run_;
  size_t rows_;
  GroundTruth truth_;  // among held rows and rows of the table
};

}  // namespace vann::bench

// change_table.hpp — the table of those measures that change rows, so that `item` stays as it was
// built: the first of the indexed rows, and an index of its own.
#pragma once

#include "bench/measure/run.hpp"

namespace vann::bench {

class ChangeTable {
 public:
  explicit ChangeTable(Run &run);

  // Creates the table `change`, with an index on v, in the engine's database.
  void create(SqlEngine &engine) const;
  // Rows in the table after create(), whose numbers start at first().
  size_t rows() const { return rows_; }
  size_t first() const { return run_.data.held; }
  // Recall@10 at an ef_search, when the table holds these rows. Ids are taken modulo the number of
  // rows of the base: a row that came back under a new id counts as itself.
  double recall(SqlEngine &engine, int ef_search, const Present &present) const;

 private:
  Run &run_;
  size_t rows_;
  GroundTruth truth_;  // among held rows and rows of the table
};

}  // namespace vann::bench

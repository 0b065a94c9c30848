// sql_engine.hpp — one index of one extension, in a database of its own on the common server.
#pragma once

#include <memory>
#include <string>

#include "bench/data/attributes.hpp"
#include "bench/engine/connection.hpp"
#include "bench/engine/engine.hpp"
#include "bench/options.hpp"

namespace vann::bench {

// Tables: `item` (id, bucket, region, n, v) with the indexed rows, `held` (id, v) with the rows
// held back, `query` (id, near, far, v). Ids are row numbers of the data set's base, or of its
// queries.
class SqlEngine : public Engine {
 public:
  // Creates the database bench_<engine> anew and loads the tables. Throws std::runtime_error
  // with the server's message, as all members do. Keeps the references.
  SqlEngine(const EngineSpec &spec, const Options &options, const Dataset &data,
            const Attributes &attributes);

  BuildFigures build() override;
  Pass search(size_t k, int effort, size_t n_queries) override;
  SqlEngine *sql() override { return this; }

  // What builds get unless a test asks for less: the option, or room for the vectors and the graph
  // of every engine. Not more: pgvector's parallel build allocates all of it, and zeroes it.
  std::string memory() const;
  // Drops a table's index on v and creates it under that maintenance_work_mem.
  BuildFigures build_index(const std::string &table, const std::string &memory);
  void drop_index(const std::string &table) { run("DROP INDEX IF EXISTS " + index_of(table)); }
  double index_bytes(const std::string &table);

  // Defines what search_with() and pages_with() run: the k nearest rows of a table under a
  // condition, in which `q_near` and `q_far` are columns of the query. The search goes on inside
  // one PL/pgSQL function with one cached plan and is timed there, so that neither the client nor
  // the planner is part of the figures.
  void define_search(const std::string &name, const std::string &table, size_t k,
                     const std::string &condition = "");
  Pass search_with(const std::string &name, int effort, size_t n_queries);
  struct Pages {
    double per_query;    // shared buffers, hit or read, by EXPLAIN (ANALYZE, BUFFERS)
    double index_share;  // of the plans that use the index on v
  };
  Pages pages_with(const std::string &name, int effort, size_t n_queries);

  // Sets the knob in a session of this engine.
  void set_effort(Connection &session, int effort) const;
  // Sets whether a scan goes on, in the best order that the engine has, until LIMIT is met.
  void iterate(bool until_limit);
  // Whether plans must use an index where one can serve (the default), or the planner decides.
  void force_index(bool force);
  void run(const std::string &sql) { backend_->run(sql); }
  Connection &backend() { return *backend_; }
  // A further session with the same settings.
  std::unique_ptr<Connection> connect() const;
  // After a restart of the server.
  void reconnect() { backend_ = connect(); }
  // Statement of a search, `$1` being the vector.
  std::string statement(const std::string &table, size_t k) const;

 private:
  std::string index_of(const std::string &table) const { return table + "_v_idx"; }
  std::string nearest(const std::string &table, size_t k, const std::string &vector,
                      const std::string &condition) const;
  std::string create_index(const std::string &table);
  void create_database();
  void create_tables();
  void load();

  const Options &options_;
  const Dataset &data_;
  const Attributes &attributes_;
  std::string database_;
  std::string conninfo_;
  std::unique_ptr<Connection> backend_;
};

}  // namespace vann::bench

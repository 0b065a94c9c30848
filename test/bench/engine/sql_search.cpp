// sql_search.cpp — the functions in PL/pgSQL that search, and explain, in the server.
#include "bench/engine/sql_engine.hpp"

namespace vann::bench {
namespace {

std::string parenthesized(const std::string &text) { return "(" + text + ")"; }

}  // namespace

std::string SqlEngine::nearest(const std::string &table, size_t k, const std::string &vector,
                               const std::string &condition) const {
  return "SELECT id FROM " + table + (condition.empty() ? "" : " WHERE " + condition) +
         " ORDER BY v " + metric_operator(data_.metric) + " " + vector + " LIMIT " +
         std::to_string(k);
}

std::string SqlEngine::statement(const std::string &table, size_t k) const {
  return nearest(table, k, "$1", "");
}

void SqlEngine::define_search(const std::string &name, const std::string &table, size_t k,
                              const std::string &condition) {
  run("DROP FUNCTION IF EXISTS " + name + "_search, " + name + "_pages");
  run("CREATE FUNCTION " + name + R"(_search(n int, OUT ids bigint[], OUT elapsed float8)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
    DECLARE
        q_v vector;
        q_near int;
        q_far int;
        started timestamptz;
    BEGIN
        FOR q_v, q_near, q_far IN
            SELECT v, near, far FROM query WHERE query.id < n ORDER BY query.id
        LOOP
            started := clock_timestamp();
            ids := ARRAY)" +
      parenthesized(nearest(table, k, "q_v", condition)) + R"(;
            elapsed := extract(epoch FROM clock_timestamp() - started) * 1e6;
            RETURN NEXT;
        END LOOP;
    END $$)");
  // EXECUTE takes its parameters by number.
  std::string numbered = condition;
  for (const auto &[variable, number] : {std::pair{"q_near", "$2"}, {"q_far", "$3"}}) {
    const size_t at = numbered.find(variable);
    if (at != std::string::npos) numbered.replace(at, std::string(variable).size(), number);
  }
  run("CREATE FUNCTION " + name + R"(_pages(n int, OUT pages float8, OUT index_share float8)
    LANGUAGE plpgsql AS $$
    DECLARE
        q record;
        plan json;
    BEGIN
        pages := 0;
        index_share := 0;
        FOR q IN SELECT v, near, far FROM query WHERE id < n ORDER BY id LOOP
            EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT json) )" +
      nearest(table, k, "$1", numbered) + R"(' INTO plan USING q.v, q.near, q.far;
            pages := pages + (plan->0->'Plan'->>'Shared Hit Blocks')::float8 / n
                + (plan->0->'Plan'->>'Shared Read Blocks')::float8 / n;
            IF plan::text LIKE '%"Index Name": ")" +
      index_of(table) + R"("%' THEN
                index_share := index_share + 1.0 / n;
            END IF;
        END LOOP;
    END $$)");
}

Pass SqlEngine::search_with(const std::string &name, int effort, size_t n_queries) {
  set_effort(*backend_, effort);
  const Connection::Result rows =
      backend_->run("SELECT * FROM " + name + "_search(" + std::to_string(n_queries) + ")");
  Pass pass;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    pass.found.push_back(parse_array(PQgetvalue(rows.get(), i, 0)));
    pass.microseconds.push_back(std::stod(PQgetvalue(rows.get(), i, 1)));
  }
  return pass;
}

SqlEngine::Pages SqlEngine::pages_with(const std::string &name, int effort, size_t n_queries) {
  set_effort(*backend_, effort);
  const Connection::Result row =
      backend_->run("SELECT * FROM " + name + "_pages(" + std::to_string(n_queries) + ")");
  return {std::stod(PQgetvalue(row.get(), 0, 0)), std::stod(PQgetvalue(row.get(), 0, 1))};
}

Pass SqlEngine::search(size_t k, int effort, size_t n_queries) {
  const std::string name = "item_" + std::to_string(k);
  if (backend_->value("SELECT to_regproc('" + name + "_search')").empty()) {
    define_search(name, "item", k);
  }
  return search_with(name, effort, n_queries);
}

}  // namespace vann::bench

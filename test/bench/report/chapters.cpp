// chapters.cpp — titles, and what a reader must know of each measure.
#include "bench/report/chapters.hpp"

namespace vann::bench {

const std::vector<Chapter> &all_chapters() {
  static const std::vector<Chapter> chapters = {
      {"build", "Build", "build_s", Better::kLess,
       "CREATE INDEX on a loaded table. private: peak of the anonymous memory (RssAnon) of the "
       "backend and its parallel workers together, sampled; segments: peak of dynamic shared "
       "memory segments (pgvector's parallel build keeps its graph there); shared buffers count "
       "in neither. Of the libraries: growth of this program's RssAnon."},
      {"search", "Search: one backend, inside the server", "", Better::kMore,
       "Each query is timed around the execution of a cached plan in PL/pgSQL; libraries around "
       "their call. A query's time is its median over the passes; qps is the queries by the sum "
       "of these times. pages: shared buffers per query (heap, TOAST, index)."},
      {"filter", "Filtered search, LIMIT 10", "qps", Better::kMore,
       "recall: against the exact filtered answer. short share: queries that returned fewer rows "
       "than there are, up to LIMIT. N %: rows that match, independent of the vector; region: "
       "rows nearest to one of 20 rows, the query's own or another. vector index: other plans "
       "are disabled; planner's choice: B-tree indexes on the filter's columns exist and the "
       "planner decides; index share: of the plans that then use the vector index. Scans go on "
       "until LIMIT is met: iterative_scan = strict_order, for pgvector's ivfflat relaxed_order, "
       "which is all it has. Lists have the least probes of the sweep with recall@10 of at least "
       ".99 without a filter, else the best."},
      {"clients", "Throughput of concurrent readers", "qps", Better::kMore,
       "Sessions over libpq with prepared statements; clients and server share the processors. "
       "ef_search, or probes, are the least of the sweep with recall@10 of at least .99, else "
       "the best."},
      {"mixed", "Readers beside a session that inserts", "qps", Better::kMore,
       "As above on the table of changes, while one more session inserts a row per transaction "
       "(synchronous_commit off). Probes of lists: the least that reach .99 there before it "
       "starts."},
      {"insert", "Inserts", "rows_per_s", Better::kMore,
       "One INSERT per row inside the server, a transaction per session, with a primary key "
       "beside the vector index."},
      {"update", "UPDATE of another column", "rows_per_s", Better::kMore,
       "By primary key. hot share: updates that no index noticed; with an index on the column "
       "there are none, and the vector index gets a new entry per update."},
      {"vacuum", "DELETE of 10 % and VACUUM", "vacuum_s", Better::kLess, ""},
      {"change recall", "Recall@10 along these changes", "", Better::kMore,
       "Probes of lists: the least of the sweep that reach .95 and .99 when the index was built."},
      {"churn", "Churn", "", Better::kMore,
       "Rounds of: delete a tenth, VACUUM, insert the same vectors as new rows. The exact "
       "answers stay the same. Probes of lists: those that reach .95 and .99 in the beginning."},
      {"drift", "Drift", "", Better::kMore,
       "A table of rows from one half of the regions; then every second row makes way for one "
       "from the other half, and VACUUM runs; then the index is built anew on what the table now "
       "holds. Probes of lists: those that reach .95 and .99 in the beginning."},
      {"cold", "Cold cache", "median_of_first_10_ms", Better::kLess,
       "The server was restarted and the operating system's cache dropped (or a note tells that "
       "it was not); one session's queries, timed by the client."},
      {"budget", "Build under a memory budget", "build_s", Better::kLess,
       "maintenance_work_mem to spare, then a tenth of the vectors' bytes."},
  };
  return chapters;
}

}  // namespace vann::bench

// options.hpp — what one run measures, from the command line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/data/dataset.hpp"

namespace vann::bench {

struct Options {
  std::string profile = "quick";
  std::vector<std::string> data;      // sources, as DataRequest takes them
  std::vector<std::string> engines;   // as parse_engines() takes them
  std::vector<std::string> measures;  // names of all_measures()
  DataRequest request;                // but for the source

  std::string server;           // libpq connection string of a superuser
  std::string restart_command;  // for the cold cache; empty: the server is not to be restarted
  std::string commit;           // shown in the reports
  std::string cache;            // directory of exact answers; empty: kept nowhere
  std::string output = ".";     // directory of the results

  std::vector<size_t> k;
  std::vector<int> ef_search;  // efforts of graphs
  std::vector<int> probes;     // efforts of inverted lists
  size_t passes;               // over the queries, per point of a curve
  size_t repetitions;          // of builds and other measures that can be repeated, time permitting
  double seconds;              // of each measure of throughput
  double build_limit;          // seconds, after which a build is given up
  std::vector<size_t> clients;
  size_t change_rows;     // rows, at most, of the table of inserts, deletes and vacuums
  size_t churn_rounds;    // each replaces a tenth of the rows
  size_t filter_queries;  // per filter

  int m = 16;
  int ef_construction = 64;
  size_t lists = 0;    // of inverted lists; 0: as the engine's makers advise
  int workers = 1;     // parallel maintenance workers beside the leader
  std::string memory;  // maintenance_work_mem of builds; empty: enough for all engines
  std::vector<std::string> settings;  // "name = value", set in each measuring session
  std::string column_options;         // of the vector column, such as STORAGE PLAIN
};

// Throws std::invalid_argument, whose text tells what is wrong, then the usage.
Options parse_options(int argc, char **argv);

}  // namespace vann::bench

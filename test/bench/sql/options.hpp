// options.hpp — what one run measures, from the command line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vann::bench {

struct Options {
  std::string data = "words";  // words, text, images, synthetic
  std::string data_dir;        // where the data set's files lie
  std::string server;          // libpq connection string of a superuser
  std::vector<std::string> engines = {"vector_ann", "hnswlib"};
  std::string cache = ".";       // directory of ground truth
  std::string output = "bench";  // writes OUTPUT.md and OUTPUT.json
  size_t rows = 0;               // first rows of the data set; 0 = all
  size_t queries = 1000;
  size_t inserts = 2000;   // rows held out of the build and inserted one by one
  size_t dims = 128;       // synthetic only
  size_t clusters = 1000;  // synthetic only
  size_t k = 10;
  size_t passes = 3;  // per ef_search; each query's fastest one counts
  int m = 16;
  int ef_construction = 64;
  int workers = 1;             // parallel maintenance workers beside the leader
  std::string memory = "2GB";  // maintenance_work_mem
  std::vector<int> ef_search = {10, 20, 40, 60, 80, 100, 150, 200, 300, 400};
  std::vector<std::string> settings;  // "name = value", set in each measuring session
  std::string column_options;         // appended to the vector column, such as STORAGE PLAIN
};

// Throws std::invalid_argument, whose text is the usage, on anything that it does not know.
Options parse_options(int argc, char **argv);

}  // namespace vann::bench

// report.hpp — results for machines and for people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/measure/results.hpp"
#include "bench/options.hpp"

namespace vann::bench {

// A data set as it was measured.
struct DataFacts {
  std::string name;
  std::string metric;
  size_t rows;
  size_t held;
  size_t dims;
  size_t queries;
};

// What the figures hold for.
struct Facts {
  std::string date;  // YYYY-MM-DD
  std::string commit;
  std::string profile;
  std::string processor;
  std::string server_version;
  std::vector<std::pair<std::string, std::string>> settings;  // of the server and of the run
  std::vector<std::string> engines;                           // in their order
  std::vector<std::pair<std::string, std::string>> versions;  // of the engines
  std::vector<DataFacts> data;
};

// The name of an engine in reports: pgvector's extension is called vector.
std::string shown_name(const std::string &engine);
std::string shown_data(const DataFacts &data);

// Queries per second of an engine at a recall@k; nothing where it was not reached.
std::optional<double> speed_of(const Results &results, const std::string &data,
                               const std::string &engine, const std::string &k, double recall);

std::string json(const Facts &facts, const Results &results);
// Everything: summaries, then a table per measure and data set. Names the pictures that draw()
// makes.
std::string markdown(const Facts &facts, const Results &results);
// What a README shows: a summary per data set, of the lines that matter most.
std::string summary_markdown(const Facts &facts, const Results &results);

struct Picture {
  std::string file;   // name, ends with .svg
  std::string title;  // for readers who do not see it
  std::string data;   // the data set that it belongs to; empty: all
  std::string content;
};

std::vector<Picture> draw(const Facts &facts, const Results &results);

}  // namespace vann::bench

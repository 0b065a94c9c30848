// report.hpp — results for machines and for people.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/engine/spec.hpp"
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

struct EngineFacts {
  std::string name;
  std::string version;
  Family family;
};

// What the figures hold for.
struct Facts {
  std::string date;  // YYYY-MM-DD
  std::string commit;
  std::string profile;
  std::string processor;
  std::string server_version;
  std::vector<std::pair<std::string, std::string>> settings;  // of the server and of the run
  std::vector<EngineFacts> engines;                           // in their order
  std::vector<DataFacts> data;
};

std::string shown_data(const DataFacts &data);
std::string shown_family(Family family);

// The same with the engines of one family only.
Facts of_family(const Facts &facts, Family family);
// Those that have engines.
std::vector<Family> families(const Facts &facts);
// Points of the engines in `facts`.
std::vector<const Point *> points_of(const Facts &facts, const Results &results,
                                     const std::string &data, const std::string &measure);

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

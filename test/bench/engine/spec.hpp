// spec.hpp — the engines by name, their variants, and what they search with: all that can be told of
// an engine before it is opened.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bench/options.hpp"

namespace vann::bench {

// Engines of one family are compared with each other.
enum class Family { kGraphs, kLists };

// What an engine's name stands for.
struct Kind {
  const char *name;
  const char *shown;  // name in reports
  Family family;
  const char *extension;       // null: a library, in memory
  const char *access_method;   // of CREATE INDEX, and prefix of its settings
  const char *iterative_scan;  // the most orderly way in which a scan goes on until LIMIT is met
};

// In the order of the reports; the first of a family is what the others are compared with.
const std::vector<Kind> &all_kinds();

// NAME[:OPTION=VALUE]...: a kind, and what its index is created with instead of the usual. An
// extension's options are those of its WITH (...); lists in memory have lists, and k_factor where
// codes are refined.
struct EngineSpec {
  std::string name;  // as a whole
  Kind kind;
  std::vector<std::pair<std::string, std::string>> options;

  std::string option(const std::string &option_name, const std::string &otherwise) const;
};

// Throws std::invalid_argument for an unknown kind or a malformed option.
EngineSpec parse_engine(const std::string &name);
// The same of several; `graphs` and `lists` stand for all kinds of a family, an empty list for all
// kinds.
std::vector<EngineSpec> parse_engines(const std::vector<std::string> &names);

// Name in reports: the kind's, then the options' values.
std::string shown_name(const std::string &engine);

// Number of lists of a table of `rows`: the engine's own option, else --lists, else what its makers
// advise (pgvector: rows / 1000, the square root above a million; libraries: as ivfpq).
size_t lists_of(const EngineSpec &engine, const Options &options, size_t rows);

// What stands in WITH (...) when the index of a table of `rows` is created; empty where the
// engine's own choices hold.
std::string storage_parameters(const EngineSpec &engine, const Options &options, size_t rows);

// What a search trades recall against time with. One value of it is an effort.
struct Knob {
  std::string name;
  std::vector<int> efforts;  // of a sweep, ascending
  std::vector<int> usual;    // two, for measures that need some; the first is the common default
  // Whether it counts rows: then a search for k rows needs k at least, and an effort means
  // the same for every table. Otherwise it counts lists.
  bool counts_rows;
};

// Of an index of `rows`. No effort exceeds the number of lists.
Knob knob_of(const EngineSpec &engine, const Options &options, size_t rows);

}  // namespace vann::bench

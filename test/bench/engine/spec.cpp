// spec.cpp — the table of kinds, and the numbers of lists and probes.
#include "bench/engine/spec.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace vann::bench {
namespace {

// As ivfpq chooses when its option is 0.
constexpr size_t kRowsPerList = 512;

constexpr const char *kFamilyNames[] = {"graphs", "lists"};

const Kind &kind_named(const std::string &name) {
  for (const Kind &kind : all_kinds()) {
    if (name == kind.name) return kind;
  }
  throw std::invalid_argument("there is no engine '" + name + "'");
}

void check_library_option(const Kind &kind, const std::string &option) {
  const bool refines = std::string(kind.name) == "faiss_ivfpqfs";
  if (kind.family == Family::kLists && (option == "lists" || (refines && option == "k_factor")))
    return;
  throw std::invalid_argument(std::string(kind.name) + " has no option " + option);
}

size_t root_of(size_t rows) { return static_cast<size_t>(std::sqrt(static_cast<double>(rows))); }

size_t advised_lists(const Kind &kind, size_t rows) {
  if (std::string(kind.name) == "ivfflat") {
    return rows <= 1'000'000 ? rows / 1000 : root_of(rows);
  }
  return std::max(root_of(rows), rows / kRowsPerList);
}

std::vector<int> up_to(const std::vector<int> &probes, size_t lists) {
  const int most = static_cast<int>(lists);
  std::vector<int> efforts;
  for (const int n : probes) {
    efforts.push_back(std::min(n, most));
    if (n >= most) break;
  }
  return efforts;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void set(Pairs &parameters, const std::string &name, const std::string &value) {
  for (auto &[known, current] : parameters) {
    if (known == name) {
      current = value;
      return;
    }
  }
  parameters.emplace_back(name, value);
}

}  // namespace

const std::vector<Kind> &all_kinds() {
  static const std::vector<Kind> kinds = {
      {"vector_ann", "vector_ann", Family::kGraphs, "vector_ann", "hnsw", "strict_order"},
      {"vector", "pgvector", Family::kGraphs, "vector", "hnsw", "strict_order"},
      {"hnswlib", "hnswlib", Family::kGraphs, nullptr, nullptr, nullptr},
      {"faiss", "faiss", Family::kGraphs, nullptr, nullptr, nullptr},
      {"ivfpq", "ivfpq", Family::kLists, "vector_ann", "ivfpq", "strict_order"},
      {"ivfflat", "pgvector ivfflat", Family::kLists, "vector", "ivfflat", "relaxed_order"},
      {"faiss_ivfflat", "faiss ivfflat", Family::kLists, nullptr, nullptr, nullptr},
      {"faiss_ivfpqfs", "faiss ivfpqfs", Family::kLists, nullptr, nullptr, nullptr}};
  return kinds;
}

std::string EngineSpec::option(const std::string &option_name, const std::string &otherwise) const {
  for (const auto &[known, value] : options) {
    if (known == option_name) return value;
  }
  return otherwise;
}

EngineSpec parse_engine(const std::string &name) {
  std::istringstream parts(name);
  std::string part;
  std::getline(parts, part, ':');
  EngineSpec spec{name, kind_named(part), {}};
  while (std::getline(parts, part, ':')) {
    const size_t equals = part.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == part.size()) {
      throw std::invalid_argument("'" + part + "' of engine " + name +
                                  " is not of the form OPTION=VALUE");
    }
    const std::string option = part.substr(0, equals);
    if (spec.kind.extension == nullptr) check_library_option(spec.kind, option);
    spec.options.emplace_back(option, part.substr(equals + 1));
  }
  return spec;
}

std::vector<EngineSpec> parse_engines(const std::vector<std::string> &names) {
  std::vector<EngineSpec> specs;
  const auto add_family = [&specs](Family family) {
    for (const Kind &kind : all_kinds()) {
      if (kind.family == family) specs.push_back(parse_engine(kind.name));
    }
  };
  const auto family_names =
      std::vector<std::string>(std::begin(kFamilyNames), std::end(kFamilyNames));
  for (const std::string &name : names.empty() ? family_names : names) {
    if (name == kFamilyNames[0]) {
      add_family(Family::kGraphs);
    } else if (name == kFamilyNames[1]) {
      add_family(Family::kLists);
    } else {
      specs.push_back(parse_engine(name));
    }
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (specs[i].name == specs[j].name)
        throw std::invalid_argument("engine " + specs[i].name + " is named twice");
    }
  }
  return specs;
}

std::string shown_name(const std::string &engine) {
  const EngineSpec spec = parse_engine(engine);
  std::string text = spec.kind.shown;
  for (const auto &[option, value] : spec.options) {
    const bool is_number = value.find_first_not_of("0123456789.") == std::string::npos;
    text += is_number ? " " + option + "=" + value : " " + value;
  }
  return text;
}

size_t lists_of(const EngineSpec &engine, const Options &options, size_t rows) {
  const size_t own = std::stoul(engine.option("lists", "0"));
  if (own != 0) return own;
  if (options.lists != 0) return options.lists;
  return std::max<size_t>(advised_lists(engine.kind, rows), 1);
}

std::string storage_parameters(const EngineSpec &engine, const Options &options, size_t rows) {
  Pairs parameters;
  if (engine.kind.family == Family::kGraphs) {
    set(parameters, "m", std::to_string(options.m));
    set(parameters, "ef_construction", std::to_string(options.ef_construction));
  }
  for (const auto &[option, value] : engine.options) set(parameters, option, value);
  const bool chooses_lists = std::string(engine.kind.name) == "ivfpq" && options.lists == 0;
  if (engine.kind.family == Family::kLists && !chooses_lists) {
    set(parameters, "lists", std::to_string(lists_of(engine, options, rows)));
  }
  std::string text;
  for (const auto &[option, value] : parameters) {
    text += (text.empty() ? "" : ", ") + option + " = " + value;
  }
  return text;
}

Knob knob_of(const EngineSpec &engine, const Options &options, size_t rows) {
  if (engine.kind.family == Family::kGraphs)
    return {"ef_search", options.ef_search, {40, 100}, true};
  const size_t lists = lists_of(engine, options, rows);
  // pgvector's advice for a start, and more.
  const size_t root = std::max<size_t>(root_of(lists), 1);
  return {"probes",
          up_to(options.probes, lists),
          {static_cast<int>(root), static_cast<int>(std::min(4 * root, lists))},
          false};
}

}  // namespace vann::bench

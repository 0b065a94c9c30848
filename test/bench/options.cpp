// options.cpp — profiles, and "--name=value" arguments.
#include "bench/options.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "bench/engine/spec.hpp"

namespace vann::bench {
namespace {

constexpr const char *kUsage = R"(
  --profile=quick|full|smoke    sets the defaults of all that follows
  --data=LIST                   words, text, images, synthetic-DIMS[xROWS], or files
                                BASE[:QUERIES] (*.fvecs *.bvecs *.npy *.hdf5)
  --data_dir=DIRECTORY          where text and images lie; may be repeated
  --metric=l2|cosine|ip         of files that do not say
  --engines=LIST                graphs: vector_ann, vector (pgvector's hnsw), hnswlib, faiss
                                lists: ivfpq, ivfflat (pgvector's), faiss_ivfflat, faiss_ivfpqfs
                                NAME:OPTION=VALUE[:...]: one of these with an index of its own
                                options, such as ivfpq:codec=pq or faiss_ivfpqfs:k_factor=40
  --measures=LIST               build, search, filter, clients, change, churn, drift, budget, cold
  --rows=N --held=N --queries=N --clusters=N
  --k=LIST --ef_search=LIST --probes=LIST --passes=N --repetitions=N
  --seconds=S --clients=LIST --change_rows=N --churn_rounds=N --filter_queries=N --build_limit=S
  --m=16 --ef_construction=64 --lists=N --workers=1 --maintenance_work_mem=SIZE
  --set=NAME=VALUE              in each measuring session; may be repeated
  --column_options="STORAGE PLAIN"
)";

Options quick_profile() {
  Options o;
  o.data = {"words", "synthetic-128x20000"};
  o.engines = {"graphs", "lists", "faiss_ivfpqfs:k_factor=40"};
  o.measures = {"build", "search", "filter", "clients", "change", "churn", "drift", "cold"};
  o.request.held = 1000;
  o.request.queries = 300;
  o.request.clusters = 200;
  o.k = {1, 10, 100};
  o.ef_search = {10, 20, 40, 100, 200, 400};
  o.probes = {1, 2, 4, 8, 16, 32, 64, 128};
  o.passes = 3;
  o.repetitions = 1;
  o.seconds = 1;
  o.build_limit = 60;
  o.clients = {1, 4, 16};
  o.change_rows = 4000;
  o.churn_rounds = 1;
  o.filter_queries = 20;
  return o;
}

Options full_profile() {
  Options o;
  o.data = {"words", "text", "images", "synthetic-128x1000000"};
  o.engines = {"graphs", "lists", "ivfpq:codec=pq", "faiss_ivfpqfs:k_factor=40"};
  o.measures = {"build", "search", "filter", "clients", "change",
                "churn", "drift",  "budget", "cold"};
  o.k = {1, 10, 100};
  o.ef_search = {10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800};
  o.probes = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512};
  o.passes = 5;
  o.repetitions = 3;
  o.seconds = 10;
  o.build_limit = 900;
  o.clients = {1, 2, 4, 8, 16};
  o.change_rows = 60'000;
  o.churn_rounds = 3;
  o.filter_queries = 200;
  return o;
}

// Whether the program works, in seconds: its figures mean nothing.
Options smoke_profile() {
  Options o = quick_profile();
  o.data = {"words"};
  o.measures.push_back("budget");
  o.request.rows = 2000;
  o.request.held = 200;
  o.request.queries = 100;
  o.k = {1, 10};
  o.ef_search = {10, 40, 160};
  o.probes = {1, 4, 16, 64};
  o.passes = 1;
  o.seconds = 0.1;
  o.clients = {1, 2};
  o.change_rows = 1000;
  o.filter_queries = 20;
  return o;
}

std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

template <class Number>
Number parse(const std::string &text) {
  std::istringstream stream(text);
  Number number;
  if (text.starts_with("-") || !(stream >> number) || !stream.eof()) {
    throw std::invalid_argument("'" + text + "' is not a number that fits here");
  }
  return number;
}

using Setter = std::function<void(const std::string &)>;

Setter set(std::string &target) {
  return [&target](const std::string &value) { target = value; };
}

Setter set(std::vector<std::string> &target) {
  return [&target](const std::string &value) { target = split(value); };
}

template <class Number>
Setter set(Number &target) {
  return [&target](const std::string &value) { target = parse<Number>(value); };
}

template <class Number>
Setter set(std::vector<Number> &target) {
  return [&target](const std::string &value) {
    target.clear();
    for (const std::string &item : split(value)) target.push_back(parse<Number>(item));
  };
}

Setter add(std::vector<std::string> &target) {
  return [&target](const std::string &value) { target.push_back(value); };
}

std::map<std::string, Setter> setters(Options &o) {
  DataRequest &r = o.request;
  return {{"data", set(o.data)},
          {"data_dir", add(r.directories)},
          {"metric", set(r.metric)},
          {"engines", set(o.engines)},
          {"measures", set(o.measures)},
          {"rows", set(r.rows)},
          {"held", set(r.held)},
          {"queries", set(r.queries)},
          {"clusters", set(r.clusters)},
          {"k", set(o.k)},
          {"ef_search", set(o.ef_search)},
          {"probes", set(o.probes)},
          {"passes", set(o.passes)},
          {"repetitions", set(o.repetitions)},
          {"seconds", set(o.seconds)},
          {"build_limit", set(o.build_limit)},
          {"clients", set(o.clients)},
          {"change_rows", set(o.change_rows)},
          {"churn_rounds", set(o.churn_rounds)},
          {"filter_queries", set(o.filter_queries)},
          {"m", set(o.m)},
          {"ef_construction", set(o.ef_construction)},
          {"lists", set(o.lists)},
          {"workers", set(o.workers)},
          {"maintenance_work_mem", set(o.memory)},
          {"set", add(o.settings)},
          {"column_options", set(o.column_options)},
          {"server", set(o.server)},
          {"restart_command", set(o.restart_command)},
          {"commit", set(o.commit)},
          {"cache", set(o.cache)},
          {"output", set(o.output)}};
}

using Arguments = std::vector<std::pair<std::string, std::string>>;

Arguments parse_arguments(int argc, char **argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string::npos) {
      throw std::invalid_argument(argument + " is not of the form --NAME=VALUE");
    }
    arguments.emplace_back(argument.substr(2, equals - 2), argument.substr(equals + 1));
  }
  return arguments;
}

Options profile(const Arguments &arguments) {
  std::string name = "quick";
  for (const auto &[option, value] : arguments) {
    if (option == "profile") name = value;
  }
  Options options;
  if (name == "quick") {
    options = quick_profile();
  } else if (name == "full") {
    options = full_profile();
  } else if (name == "smoke") {
    options = smoke_profile();
  } else {
    throw std::invalid_argument("--profile is quick, full or smoke, not '" + name + "'");
  }
  options.profile = name;
  return options;
}

void check_efforts(const std::string &name, const std::vector<int> &efforts) {
  const bool ascending =
      std::adjacent_find(efforts.begin(), efforts.end(), std::greater_equal()) == efforts.end();
  if (efforts.empty() || !ascending || efforts.front() < 1) {
    throw std::invalid_argument("--" + name + " must be ascending numbers from 1 on");
  }
}

void check(const Options &o) {
  if (o.data.empty() || o.k.empty() || o.clients.empty()) {
    throw std::invalid_argument("--data, --k and --clients must not be empty");
  }
  check_efforts("ef_search", o.ef_search);
  check_efforts("probes", o.probes);
  parse_engines(o.engines);
  if (o.passes == 0 || o.repetitions == 0 || o.request.queries == 0) {
    throw std::invalid_argument("--passes, --repetitions and --queries must be at least 1");
  }
  if (o.request.held < 100) throw std::invalid_argument("--held must be at least 100");
  for (const size_t k : o.k) {
    if (k < 1 || k > 100) throw std::invalid_argument("--k must lie between 1 and 100");
  }
}

}  // namespace

Options parse_options(int argc, char **argv) {
  try {
    const Arguments arguments = parse_arguments(argc, argv);
    Options options = profile(arguments);
    const std::map<std::string, Setter> known = setters(options);
    for (const auto &[name, value] : arguments) {
      if (name == "profile") continue;
      const auto setter = known.find(name);
      if (setter == known.end()) throw std::invalid_argument("there is no option --" + name);
      setter->second(value);
    }
    check(options);
    return options;
  } catch (const std::invalid_argument &error) {
    throw std::invalid_argument(std::string(error.what()) + kUsage);
  }
}

}  // namespace vann::bench

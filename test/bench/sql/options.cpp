// options.cpp — "--name=value" arguments.
#include "options.hpp"

#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

namespace vann::bench {
namespace {

constexpr const char *kUsage = R"(usage: vann_bench_sql --server=CONNINFO [--NAME=VALUE ...]
  --engines=vector_ann,vector,hnswlib   extensions by name, and hnswlib in memory
  --data=words|text|images|synthetic    --data_dir=DIRECTORY
  --rows=N --queries=N --inserts=N --dims=N --clusters=N
  --k=10 --m=16 --ef_construction=64 --ef_search=10,20,40 --passes=3
  --workers=1 --maintenance_work_mem=2GB --set=name=value (may be repeated)
  --column_options="STORAGE PLAIN"      --cache=DIRECTORY --output=PREFIX
)";

std::vector<std::string> split(const std::string &list) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

std::vector<int> split_numbers(const std::string &list) {
  std::vector<int> numbers;
  for (const std::string &item : split(list)) numbers.push_back(std::stoi(item));
  return numbers;
}

using Setter = std::function<void(const std::string &)>;

Setter text(std::string &target) {
  return [&target](const std::string &value) { target = value; };
}

Setter count(size_t &target) {
  return [&target](const std::string &value) { target = std::stoul(value); };
}

Setter number(int &target) {
  return [&target](const std::string &value) { target = std::stoi(value); };
}

std::map<std::string, Setter> setters(Options &o) {
  return {
      {"data", text(o.data)},
      {"data_dir", text(o.data_dir)},
      {"server", text(o.server)},
      {"engines", [&o](const std::string &value) { o.engines = split(value); }},
      {"cache", text(o.cache)},
      {"output", text(o.output)},
      {"rows", count(o.rows)},
      {"queries", count(o.queries)},
      {"inserts", count(o.inserts)},
      {"dims", count(o.dims)},
      {"clusters", count(o.clusters)},
      {"k", count(o.k)},
      {"passes", count(o.passes)},
      {"m", number(o.m)},
      {"ef_construction", number(o.ef_construction)},
      {"ef_search", [&o](const std::string &value) { o.ef_search = split_numbers(value); }},
      {"workers", number(o.workers)},
      {"maintenance_work_mem", text(o.memory)},
      {"set", [&o](const std::string &value) { o.settings.push_back(value); }},
      {"column_options", text(o.column_options)},
  };
}

}  // namespace

Options parse_options(int argc, char **argv) {
  Options options;
  const std::map<std::string, Setter> known = setters(options);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string::npos) {
      throw std::invalid_argument(kUsage);
    }
    const auto setter = known.find(argument.substr(2, equals - 2));
    if (setter == known.end()) throw std::invalid_argument(kUsage);
    setter->second(argument.substr(equals + 1));
  }
  if (options.k == 0 || options.passes == 0 || options.ef_search.empty()) {
    throw std::invalid_argument(kUsage);
  }
  return options;
}

}  // namespace vann::bench

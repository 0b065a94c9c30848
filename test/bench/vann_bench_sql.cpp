// vann_bench_sql.cpp — measures vector indexes side by side in one run. Progress goes to standard
// error; results.json, report.md, summary.md and pictures to the directory of the option `output`.
#include <algorithm>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "bench/measure/measures.hpp"
#include "bench/report/report.hpp"

namespace vann::bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown processor";
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) name = line.substr(line.find(':') + 2);
  }
  return name + ", " + std::to_string(std::thread::hardware_concurrency()) + " hardware threads";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&now));
  return text;
}

Facts describe(const Options &options) {
  Facts facts{today(), options.commit, options.profile, processor(), "", {}, {}, {}};
  Connection server(options.server);
  facts.server_version = server.value("SHOW server_version");
  // Without the packager's name.
  facts.server_version = facts.server_version.substr(0, facts.server_version.find(' '));
  for (const char *name : {"shared_buffers", "fsync", "full_page_writes"}) {
    facts.settings.emplace_back(name, server.value(std::string("SHOW ") + name));
  }
  facts.settings.emplace_back("m", std::to_string(options.m));
  facts.settings.emplace_back("ef_construction", std::to_string(options.ef_construction));
  if (options.lists != 0) facts.settings.emplace_back("lists", std::to_string(options.lists));
  facts.settings.emplace_back("parallel workers", std::to_string(options.workers));
  for (const std::string &setting : options.settings) facts.settings.emplace_back("set", setting);
  if (!options.column_options.empty()) facts.settings.emplace_back("v", options.column_options);
  return facts;
}

void add_engines(Facts &facts, const Run &run) {
  for (const auto &engine : run.engines) {
    const auto &known = facts.engines;
    if (std::any_of(known.begin(), known.end(),
                    [&](const EngineFacts &other) { return other.name == engine->name(); })) {
      continue;
    }
    facts.engines.push_back({engine->name(), engine->version(), engine->spec().kind.family});
  }
}

void write(const std::string &path, const std::string &content) {
  std::ofstream file(path);
  file << content;
  if (!file.flush()) throw std::runtime_error("could not write " + path);
}

// After every data set, so that a long run that is broken off leaves what it has.
void write_results(const Options &options, const Facts &facts, const Results &results) {
  std::filesystem::create_directories(options.output);
  const std::string directory = options.output + "/";
  write(directory + "results.json", json(facts, results));
  write(directory + "report.md", markdown(facts, results));
  write(directory + "summary.md", summary_markdown(facts, results));
  for (const Picture &picture : draw(facts, results)) {
    write(directory + picture.file, picture.content);
  }
}

std::vector<Measure> chosen_measures(const Options &options) {
  std::vector<Measure> chosen;
  for (const Measure &measure : all_measures()) {
    const auto &names = options.measures;
    if (std::find(names.begin(), names.end(), measure.name) != names.end()) {
      chosen.push_back(measure);
    }
  }
  if (chosen.size() != options.measures.size()) {
    throw std::runtime_error("--measures names one that does not exist, or one twice");
  }
  return chosen;
}

void measure_data(const Options &options, const std::string &source, Facts &facts,
                  Results &results) {
  DataRequest request = options.request;
  request.source = source;
  const Dataset data = load_dataset(request);
  for (const DataFacts &known : facts.data) {
    if (known.name == data.name) throw std::runtime_error(data.name + " was measured already");
  }
  const Attributes attributes = make_attributes(data);
  Run run(options, data, attributes, results);
  run.open_engines();
  add_engines(facts, run);
  facts.data.push_back({data.name, metric_name(data.metric), data.indexed(), data.held, data.dims(),
                        data.queries.rows});
  for (const Measure &measure : chosen_measures(options)) measure.work(run);
}

int run(int argc, char **argv) {
  const Options options = parse_options(argc, argv);
  chosen_measures(options);
  Facts facts = describe(options);
  Results results;
  for (const std::string &source : options.data) {
    try {
      measure_data(options, source, facts, results);
    } catch (const std::exception &error) {
      std::cerr << source << ": " << error.what() << "\n";
      results.notes.push_back({"", source, error.what()});
    }
    if (!facts.data.empty()) write_results(options, facts, results);
  }
  if (results.points.empty()) throw std::runtime_error("nothing was measured");
  std::cout << summary_markdown(facts, results);
  return 0;
}

}  // namespace
}  // namespace vann::bench

int main(int argc, char **argv) {
  try {
    return vann::bench::run(argc, argv);
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}

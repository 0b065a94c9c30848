// vann_bench_sql.cpp — recall, speed, size, build, insert and VACUUM of hnsw indexes, side by side in
// one run. Progress goes to standard error, results to OUTPUT.md, OUTPUT.json and standard output.
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "connection.hpp"
#include "dataset.hpp"
#include "ground_truth.hpp"
#include "memory_engine.hpp"
#include "options.hpp"
#include "report.hpp"
#include "sql_engine.hpp"

namespace vann::bench {
namespace {

void write(const std::string &path, const std::string &content) {
  std::ofstream file(path);
  file << content;
  if (!file.flush()) throw std::runtime_error("could not write " + path);
}

void describe_server(Report &report) {
  Connection server(report.options.server);
  report.server_version = server.value("SHOW server_version");
  for (const char *name : {"shared_buffers", "fsync", "full_page_writes", "max_wal_size"}) {
    report.server_settings.emplace_back(name, server.value(std::string("SHOW ") + name));
  }
}

void measure(Report &report, const GroundTruth &truth) {
  for (const std::string &engine : report.options.engines) {
    if (engine != "hnswlib") {
      report.results.push_back(measure_extension(engine, report.options, report.data, truth));
    } else if (auto result = measure_hnswlib(report.options, report.data, truth)) {
      report.results.push_back(std::move(*result));
    } else {
      std::cerr << "hnswlib: left out, its header was not found when this program was built\n";
    }
  }
}

int run(int argc, char **argv) {
  const Options options = parse_options(argc, argv);
  const Dataset data = load_dataset(options);
  const GroundTruth truth(data, options.cache);
  Report report{options, data, {}, {}, {}};
  describe_server(report);
  measure(report, truth);
  if (report.results.empty()) throw std::runtime_error("nothing was measured");
  write(options.output + ".json", json(report));
  write(options.output + ".md", markdown(report));
  std::cout << markdown(report);
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

// report.cpp — formats only; nothing is measured here.
#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace vann::bench {
namespace {

std::string fixed(double value, int digits) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string cell(const std::optional<double> &value, int digits) {
  return value ? fixed(*value, digits) : "";
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown processor";
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) name = line.substr(line.find(':') + 2);
  }
  return name + ", " + std::to_string(std::thread::hardware_concurrency()) + " hardware threads";
}

void head(std::ostream &out, const Report &report) {
  const Options &o = report.options;
  const Dataset &data = report.data;
  out << "# " << data.name << ": " << data.base.rows - o.inserts << " x " << data.base.dims << ", "
      << (data.metric == Metric::kL2 ? "L2" : "cosine") << ", k = " << o.k << "\n\n"
      << "- " << processor() << "; PostgreSQL " << report.server_version << "\n- m = " << o.m
      << ", ef_construction = " << o.ef_construction << ", build: maintenance_work_mem " << o.memory
      << ", leader + " << o.workers << " worker(s) (hnswlib: " << o.workers + 1 << " threads)\n- ";
  for (const auto &[name, value] : report.server_settings) out << name << " = " << value << ", ";
  out << data.queries.rows << " queries, one backend, each query's fastest of " << o.passes
      << " passes; times are taken in the server around each execution of a cached plan\n\n";
}

void summary_table(std::ostream &out, const Report &report) {
  out << "| engine | build s | index MB | inserts/s | WAL bytes/insert | VACUUM s of 10 % dead "
      << "| QPS at .95 | QPS at .99 | recall after inserts | after VACUUM |\n"
      << "|---|---|---|---|---|---|---|---|---|---|\n";
  for (const EngineResult &r : report.results) {
    out << "| " << r.engine << " " << r.version << " | " << fixed(r.build_seconds, 2) << " | "
        << fixed(static_cast<double>(r.index_bytes) / 1e6, 1) << " | "
        << cell(r.inserts_per_second, 0) << " | " << cell(r.wal_bytes_per_insert, 0) << " | "
        << cell(r.vacuum_seconds, 2) << " | ";
    for (const double target : kTargets) out << cell(speed_at_recall(r.curve, target), 0) << " | ";
    out << cell(r.recall_after_inserts, 4) << " | " << cell(r.recall_after_vacuum, 4) << " |\n";
  }
  out << "\nRecall after inserts and after VACUUM is at ef_search " << kChangedEf
      << ". QPS at a recall is interpolated; a curve that starts above it gives its first point.\n";
}

std::string ratio(const std::optional<double> &a, const std::optional<double> &b) {
  return a && b && *b > 0 ? fixed(*a / *b, 2) : "";
}

void ratio_table(std::ostream &out, const Report &report) {
  const EngineResult &first = report.results.front();
  out << "\n## " << first.engine << " against the others (above 1: " << first.engine
      << " is better)\n\n| against | QPS at .95 | QPS at .99 | build | inserts/s | VACUUM | size "
         "|\n"
      << "|---|---|---|---|---|---|---|\n";
  for (size_t i = 1; i < report.results.size(); ++i) {
    const EngineResult &other = report.results[i];
    out << "| " << other.engine << " | ";
    for (const double target : kTargets) {
      out << ratio(speed_at_recall(first.curve, target), speed_at_recall(other.curve, target))
          << " | ";
    }
    out << ratio(other.build_seconds, first.build_seconds) << " | "
        << ratio(first.inserts_per_second, other.inserts_per_second) << " | "
        << ratio(other.vacuum_seconds, first.vacuum_seconds) << " | "
        << ratio(static_cast<double>(other.index_bytes), static_cast<double>(first.index_bytes))
        << " |\n";
  }
}

void curve_table(std::ostream &out, const EngineResult &result) {
  out << "\n## " << result.engine << "\n\n"
      << "| ef_search | recall | QPS | p50 us | p99 us | buffers/query "
         "|\n|---|---|---|---|---|---|\n";
  for (const SearchPoint &p : result.curve) {
    out << "| " << p.ef_search << " | " << fixed(p.recall, 4) << " | "
        << fixed(p.queries_per_second, 0) << " | " << fixed(p.p50, 0) << " | " << fixed(p.p99, 0)
        << " | " << cell(p.buffers, 1) << " |\n";
  }
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string number_or_null(const std::optional<double> &value) {
  return value ? fixed(*value, 6) : "null";
}

std::string point_json(const SearchPoint &p) {
  return "{\"ef_search\": " + std::to_string(p.ef_search) + ", \"recall\": " + fixed(p.recall, 6) +
         ", \"qps\": " + fixed(p.queries_per_second, 2) + ", \"p50_us\": " + fixed(p.p50, 2) +
         ", \"p99_us\": " + fixed(p.p99, 2) + ", \"buffers\": " + number_or_null(p.buffers) + "}";
}

void engine_json(std::ostream &out, const EngineResult &r) {
  out << "    {\"engine\": " << quoted(r.engine) << ", \"version\": " << quoted(r.version)
      << ",\n     \"build_seconds\": " << fixed(r.build_seconds, 4)
      << ", \"index_bytes\": " << r.index_bytes
      << ",\n     \"inserts_per_second\": " << number_or_null(r.inserts_per_second)
      << ", \"wal_bytes_per_insert\": " << number_or_null(r.wal_bytes_per_insert)
      << ", \"vacuum_seconds\": " << number_or_null(r.vacuum_seconds)
      << ",\n     \"recall_after_inserts\": " << number_or_null(r.recall_after_inserts)
      << ", \"recall_after_vacuum\": " << number_or_null(r.recall_after_vacuum)
      << ",\n     \"qps_at_95\": " << number_or_null(speed_at_recall(r.curve, kTargets[0]))
      << ", \"qps_at_99\": " << number_or_null(speed_at_recall(r.curve, kTargets[1]))
      << ",\n     \"curve\": [\n";
  for (size_t i = 0; i < r.curve.size(); ++i) {
    out << "      " << point_json(r.curve[i]) << (i + 1 < r.curve.size() ? ",\n" : "]}");
  }
}

}  // namespace

std::string markdown(const Report &report) {
  std::ostringstream out;
  head(out, report);
  summary_table(out, report);
  if (report.results.size() > 1) ratio_table(out, report);
  for (const EngineResult &result : report.results) curve_table(out, result);
  return out.str();
}

std::string json(const Report &report) {
  const Options &o = report.options;
  std::ostringstream out;
  out << "{\n  \"data\": " << quoted(report.data.name)
      << ", \"rows\": " << report.data.base.rows - o.inserts
      << ", \"dims\": " << report.data.base.dims << ", \"queries\": " << report.data.queries.rows
      << ", \"k\": " << o.k << ",\n  \"m\": " << o.m
      << ", \"ef_construction\": " << o.ef_construction << ", \"workers\": " << o.workers
      << ", \"inserts\": " << o.inserts << ", \"maintenance_work_mem\": " << quoted(o.memory)
      << ",\n  \"processor\": " << quoted(processor())
      << ", \"server_version\": " << quoted(report.server_version) << ",\n  \"settings\": {";
  for (size_t i = 0; i < report.server_settings.size(); ++i) {
    const auto &[name, value] = report.server_settings[i];
    out << (i > 0 ? ", " : "") << quoted(name) << ": " << quoted(value);
  }
  out << "},\n  \"engines\": [\n";
  for (size_t i = 0; i < report.results.size(); ++i) {
    engine_json(out, report.results[i]);
    out << (i + 1 < report.results.size() ? ",\n" : "\n");
  }
  out << "  ]\n}\n";
  return out.str();
}

}  // namespace vann::bench

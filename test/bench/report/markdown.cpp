// markdown.cpp — summaries with ratios to the peers of the same run, then every measure in full.
#include <algorithm>
#include <functional>
#include <sstream>

#include "bench/report/chapters.hpp"
#include "bench/report/report.hpp"
#include "bench/report/table.hpp"

namespace vann::bench {
namespace {

std::string heading(const std::string &name) {
  std::string text = name;
  for (const auto &[end, unit] : {std::pair{"_per_s", "/s"},
                                  {"_mb", ", MB"},
                                  {"_us", ", us"},
                                  {"_ms", ", ms"},
                                  {"_s", ", s"}}) {
    if (!text.ends_with(end)) continue;
    text.replace(text.size() - std::string(end).size(), std::string::npos, unit);
    break;
  }
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string cell(const Value &value) {
  const bool is_share = value.name.starts_with("recall") || value.name.ends_with("share");
  return is_share ? with_digits(value.median(), 4) : shown(value.median());
}

// The parameters tell apart points of one engine; the same point of the first engine
// is what others are compared with. Efforts may differ where they were chosen by recall.
const Point *counterpart(const std::vector<const Point *> &points, const Point &of,
                         const std::string &engine) {
  for (const Point *point : points) {
    if (point->engine != engine) continue;
    const bool same = std::all_of(of.parameters.begin(), of.parameters.end(), [&](const auto &p) {
      return p.first == "ef_search" || p.first == "probes" || p.first == "maintenance_work_mem" ||
             point->parameter(p.first) == p.second;
    });
    if (same) return point;
  }
  return nullptr;
}

std::string ratio_to_first(const Chapter &chapter, const std::vector<const Point *> &points,
                           const Point &point, const std::string &first) {
  const Point *reference = counterpart(points, point, first);
  if (point.engine == first || reference == nullptr) return "";
  const Value *own = point.find(chapter.primary), *theirs = reference->find(chapter.primary);
  if (own == nullptr || theirs == nullptr) return "";
  return chapter.better == Better::kMore ? ratio(theirs->median(), own->median())
                                         : ratio(own->median(), theirs->median());
}

// The names of all values of the points, in the order in which they appear.
std::vector<std::string> value_names(const std::vector<const Point *> &points) {
  std::vector<std::string> names;
  for (const Point *point : points) {
    for (const Value &value : point->values) {
      if (std::find(names.begin(), names.end(), value.name) == names.end()) {
        names.push_back(value.name);
      }
    }
  }
  return names;
}

// Points that differ in the engine only stand together, in the order of their first.
std::vector<const Point *> grouped(const std::vector<const Point *> &points) {
  std::vector<const Point *> result, left = points;
  while (!left.empty()) {
    const Point *first = left.front();
    const auto same = [&](const Point *point) {
      return counterpart({point}, *first, point->engine) != nullptr &&
             point->parameters.size() == first->parameters.size();
    };
    std::copy_if(left.begin(), left.end(), std::back_inserter(result), same);
    left.erase(std::remove_if(left.begin(), left.end(), same), left.end());
  }
  return result;
}

std::string chapter_table(const Chapter &chapter, const std::vector<const Point *> &points,
                          const std::string &first) {
  const bool curves = std::string(chapter.measure) == "search";
  const bool ratios = *chapter.primary != '\0';
  const std::vector<std::string> names = value_names(points);
  std::vector<std::string> head = {"engine"};
  for (const auto &[name, value] : points.front()->parameters) head.push_back(heading(name));
  for (const std::string &name : names) head.push_back(heading(name));
  if (ratios) head.push_back(shown_name(first) + " is better by");
  Table table(head);
  for (const Point *point : curves ? points : grouped(points)) {
    std::vector<std::string> cells = {shown_name(point->engine)};
    for (const auto &[name, value] : point->parameters) cells.push_back(value);
    for (const std::string &name : names) {
      const Value *value = point->find(name);
      cells.push_back(value == nullptr ? "" : cell(*value));
    }
    if (ratios) cells.push_back(ratio_to_first(chapter, points, *point, first));
    table.row(std::move(cells));
  }
  return table.text();
}

// A line of the summary: one figure of every engine.
struct Line {
  std::string name;
  std::vector<std::optional<double>> values;  // [engine]
  Better better;
};

class Summary {
 public:
  Summary(const Facts &facts, const Results &results, const std::string &data)
      : facts_(facts), results_(results), data_(data) {}

  void speed(const std::string &k, double recall) {
    Line line{
        "queries/s at recall@" + k + " = " + with_digits(recall, 2).substr(1), {}, Better::kMore};
    for (const EngineFacts &engine : facts_.engines) {
      line.values.push_back(speed_of(results_, data_, engine.name, k, recall));
    }
    lines_.push_back(std::move(line));
  }

  void value(const std::string &name, const std::string &measure, const Parameters &parameters,
             const std::string &value, Better better) {
    Line line{name, {}, better};
    for (const EngineFacts &engine : facts_.engines) {
      line.values.push_back(results_.value(data_, measure, engine.name, parameters, value));
    }
    lines_.push_back(std::move(line));
  }

  // Lines of which the first engine has a figure; engines that have none at all are left out.
  std::string text() const {
    std::vector<size_t> engines;
    for (size_t i = 0; i < facts_.engines.size(); ++i) {
      if (std::any_of(lines_.begin(), lines_.end(), [&](const Line &l) { return !!l.values[i]; })) {
        engines.push_back(i);
      }
    }
    std::vector<std::string> head = {""};
    for (const size_t i : engines) head.push_back(shown_name(facts_.engines[i].name));
    for (const size_t i : engines) {
      if (i > 0) head.push_back("to " + shown_name(facts_.engines[i].name));
    }
    Table table(head);
    for (const Line &line : lines_) {
      if (!line.values[0]) continue;
      std::vector<std::string> cells = {line.name};
      for (const size_t i : engines) cells.push_back(shown(line.values[i]));
      for (const size_t i : engines) {
        if (i == 0) continue;
        cells.push_back(line.better == Better::kMore ? ratio(line.values[0], line.values[i])
                                                     : ratio(line.values[i], line.values[0]));
      }
      table.row(std::move(cells));
    }
    return table.empty() ? "" : table.text();
  }

 private:
  const Facts &facts_;
  const Results &results_;
  const std::string data_;
  std::vector<Line> lines_;
};

void main_lines(Summary &summary) {
  for (const double recall : {0.95, 0.99}) summary.speed("10", recall);
  summary.value("build, s", "build", {}, "build_s", Better::kLess);
  summary.value("index, MB", "build", {}, "index_mb", Better::kLess);
  summary.value("queries/s, 16 clients, recall .99", "clients", {{"clients", "16"}}, "qps",
                Better::kMore);
  summary.value("inserts into the full index, rows/s", "insert",
                {{"index", "full"}, {"clients", "1"}}, "rows_per_s", Better::kMore);
  summary.value("VACUUM after deleting 10 %, s", "vacuum", {}, "vacuum_s", Better::kLess);
}

void further_lines(Summary &summary) {
  summary.speed("1", 0.99);
  summary.speed("100", 0.95);
  summary.speed("100", 0.99);
  summary.value("index, bytes per row", "build", {}, "bytes_per_row", Better::kLess);
  summary.value("build, private peak MB", "build", {}, "private_mb", Better::kLess);
  summary.value("build, segments' peak MB", "build", {}, "segments_mb", Better::kLess);
  summary.value("inserts into an empty index, rows/s", "insert",
                {{"index", "empty"}, {"clients", "1"}}, "rows_per_s", Better::kMore);
  summary.value("the same, 2 clients", "insert", {{"index", "empty"}, {"clients", "2"}},
                "rows_per_s", Better::kMore);
  summary.value("inserts into the full index, 2 clients", "insert",
                {{"index", "full"}, {"clients", "2"}}, "rows_per_s", Better::kMore);
  summary.value("WAL per insert, bytes", "insert", {{"index", "full"}, {"clients", "1"}},
                "wal_bytes_per_row", Better::kLess);
  summary.value("updates of another column, rows/s", "update", {{"column", "in place"}},
                "rows_per_s", Better::kMore);
  summary.value("the same with an index on it", "update", {{"column", "with an index on it"}},
                "rows_per_s", Better::kMore);
  summary.value("cold: median of the first 10, ms", "cold", {}, "median_of_first_10_ms",
                Better::kLess);
}

// A table per family, under its name where there are several.
std::string under_families(const Facts &facts,
                           const std::function<std::string(const Facts &)> &table) {
  const std::vector<Family> present = families(facts);
  std::string text;
  for (const Family family : present) {
    const std::string own = table(of_family(facts, family));
    if (own.empty()) continue;
    if (!text.empty()) text += "\n";
    if (present.size() > 1) text += shown_family(family) + ":\n\n";
    text += own;
  }
  return text;
}

std::string summary_table(const Facts &facts, const Results &results, const std::string &data,
                          bool all) {
  return under_families(facts, [&](const Facts &family) {
    Summary summary(family, results, data);
    main_lines(summary);
    if (all) further_lines(summary);
    return summary.text();
  });
}

void conditions(std::ostream &out, const Facts &facts) {
  out << facts.date << ", commit " << facts.commit << ", profile " << facts.profile << "; "
      << facts.processor << "; PostgreSQL " << facts.server_version << ".\n";
  const char *separator = "";
  for (const EngineFacts &engine : facts.engines) {
    out << separator << shown_name(engine.name) << " " << engine.version;
    separator = ", ";
  }
  for (const auto &[name, value] : facts.settings) out << "; " << name << " = " << value;
  out << ".\n";
}

void notes(std::ostream &out, const Results &results, const std::string &data) {
  bool any = false;
  for (const Note &note : results.notes) {
    if (note.data != data) continue;
    out << (any ? "" : "\nNot as asked:\n\n") << "- " << note.measure << ": " << note.text << "\n";
    any = true;
  }
}

void pictures(std::ostream &out, const std::vector<Picture> &all, const std::string &data) {
  for (const Picture &picture : all) {
    if (picture.data == data) out << "![" << picture.title << "](" << picture.file << ")\n";
  }
}

void data_chapter(std::ostream &out, const Facts &facts, const Results &results,
                  const DataFacts &data, const std::vector<Picture> &all) {
  out << "\n## " << shown_data(data) << "\n\n"
      << data.queries << " queries.\n\n"
      << summary_table(facts, results, data.name, true) << "\n";
  pictures(out, all, data.name);
  notes(out, results, data.name);
  for (const Chapter &chapter : all_chapters()) {
    const std::vector<const Point *> points = results.of(data.name, chapter.measure);
    if (points.empty()) continue;
    out << "\n### " << data.name << ": " << chapter.title << "\n\n";
    if (*chapter.text != '\0') out << chapter.text << "\n\n";
    out << under_families(facts, [&](const Facts &family) {
      const auto own = points_of(family, results, data.name, chapter.measure);
      return own.empty() ? "" : chapter_table(chapter, own, family.engines.front().name);
    });
  }
}

}  // namespace

std::string markdown(const Facts &facts, const Results &results) {
  std::ostringstream out;
  const std::vector<Picture> all = draw(facts, results);
  out << "# Benchmark\n\n";
  conditions(out, facts);
  out << "\nFigures of one run, side by side; columns \"to ...\" and \"is better by\" are ratios "
         "above "
         "1 where the first engine of a table is better. Speeds at a recall are the best on the "
         "measured curve at no less recall, "
         "interpolated where the recall lies between two points.\n";
  notes(out, results, "");
  pictures(out, all, "");
  for (const DataFacts &data : facts.data) data_chapter(out, facts, results, data, all);
  return out.str();
}

std::string summary_markdown(const Facts &facts, const Results &results) {
  std::ostringstream out;
  conditions(out, facts);
  for (const DataFacts &data : facts.data) {
    out << "\n**" << shown_data(data) << "**\n\n"
        << summary_table(facts, results, data.name, false);
  }
  return out.str();
}

}  // namespace vann::bench

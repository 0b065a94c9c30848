// draw.cpp — which plots there are.
#include <algorithm>

#include "bench/report/plot.hpp"
#include "bench/report/report.hpp"

namespace vann::bench {
namespace {

std::string conditions(const Facts &facts) {
  return facts.date + ", commit " + facts.commit + ", PostgreSQL " + facts.server_version;
}

double coordinate(const Point &point, const std::string &name) {
  const std::string parameter = point.parameter(name);
  return parameter.empty() ? point.find(name)->median() : std::stod(parameter);
}

// Pictures of graphs have no further name.
std::string file_part(const Family family) { return family == Family::kGraphs ? "" : "-lists"; }

std::string title_part(const Family family) {
  return family == Family::kGraphs ? "" : ", inverted lists";
}

// One series per engine: the points of a measure for which `wanted` holds.
template <class Wanted>
std::vector<LinePlot::Series> series_of(const Facts &facts, const Results &results,
                                        const std::string &data, const std::string &measure,
                                        const std::string &x, const std::string &y,
                                        const Wanted &wanted) {
  std::vector<LinePlot::Series> all;
  for (const EngineFacts &engine : facts.engines) {
    LinePlot::Series series{shown_name(engine.name), {}};
    for (const Point *point : results.of(data, measure)) {
      if (point->engine != engine.name || !wanted(*point)) continue;
      series.points.emplace_back(coordinate(*point, x), coordinate(*point, y));
    }
    if (!series.points.empty()) all.push_back(std::move(series));
  }
  return all;
}

void draw_curves(const Facts &facts, Family family, const Results &results, const DataFacts &data,
                 std::vector<Picture> &pictures) {
  std::vector<std::string> ks;
  for (const Point *point : points_of(facts, results, data.name, "search")) {
    const std::string k = point->parameter("k");
    if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.push_back(k);
  }
  for (const std::string &k : ks) {
    LinePlot plot;
    plot.title = "Recall and speed, " + shown_data(data) + ", k = " + k + title_part(family);
    plot.subtitle = "One backend, higher and further right is better. " + conditions(facts);
    plot.x_label = "recall@" + k;
    plot.y_label = "queries per second";
    plot.x_scale = ScaleKind::kRecall;
    plot.series = series_of(facts, results, data.name, "search", "recall", "qps",
                            [&](const Point &point) { return point.parameter("k") == k; });
    pictures.push_back({data.name + file_part(family) + "-recall-k" + k + ".svg", plot.title,
                        data.name, svg(plot)});
  }
}

void draw_clients(const Facts &facts, Family family, const Results &results, const DataFacts &data,
                  const std::string &measure, const std::string &title,
                  std::vector<Picture> &pictures) {
  LinePlot plot;
  plot.series = series_of(facts, results, data.name, measure, "clients", "qps",
                          [](const Point &) { return true; });
  if (plot.series.empty()) return;
  for (const auto &[clients, qps] : plot.series.front().points) plot.x_ticks.push_back(clients);
  plot.title = title + ", " + shown_data(data) + ", k = 10" + title_part(family);
  plot.subtitle = "At recall .99 where it was reached. " + conditions(facts);
  plot.x_label = "clients";
  plot.y_label = "queries per second";
  plot.x_scale = ScaleKind::kLog;
  pictures.push_back(
      {data.name + file_part(family) + "-" + measure + ".svg", plot.title, data.name, svg(plot)});
}

void draw_builds(const Facts &facts, Family family, const Results &results,
                 std::vector<Picture> &pictures) {
  BarPlot plot;
  plot.title = "Index build" + title_part(family);
  plot.subtitle = "Seconds, shorter is better. " + conditions(facts);
  plot.unit = "s";
  for (const DataFacts &data : facts.data) {
    BarPlot::Group group{data.name, {}};
    for (const EngineFacts &engine : facts.engines) {
      const auto seconds = results.value(data.name, "build", engine.name, {}, "build_s");
      if (seconds) group.bars.push_back({shown_name(engine.name), *seconds});
    }
    if (!group.bars.empty()) plot.groups.push_back(std::move(group));
  }
  if (plot.groups.empty()) return;
  pictures.push_back({"builds" + file_part(family) + ".svg", plot.title, "", svg(plot)});
}

}  // namespace

std::vector<Picture> draw(const Facts &facts, const Results &results) {
  std::vector<Picture> pictures;
  for (const Family family : families(facts)) {
    const Facts own = of_family(facts, family);
    draw_builds(own, family, results, pictures);
    for (const DataFacts &data : facts.data) {
      draw_curves(own, family, results, data, pictures);
      draw_clients(own, family, results, data, "clients", "Readers", pictures);
      draw_clients(own, family, results, data, "mixed", "Readers beside a writer", pictures);
    }
  }
  return pictures;
}

}  // namespace vann::bench

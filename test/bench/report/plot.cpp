// plot.cpp — places axes, lines, bars and legends.
#include "bench/report/plot.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

namespace vann::bench {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 78, kRight = 150, kTop = 62, kBottom = 58;
constexpr const char *kInk = "#24292f", *kFaint = "#d8dee4", *kGrey = "#57606a";

std::string color_of(const std::string &name) {
  // Families have plots of their own, and may use the same colors.
  static const std::map<std::string, std::string> fixed = {
      {"vector_ann", "#0969da"}, {"ivfpq", "#0969da"},
      {"pgvector", "#cf222e"},   {"pgvector ivfflat", "#cf222e"},
      {"hnswlib", "#1a7f37"},    {"faiss ivfflat", "#1a7f37"},
      {"faiss", "#9a6700"},      {"faiss ivfpqfs", "#9a6700"}};
  if (const auto found = fixed.find(name); found != fixed.end()) return found->second;
  static const char *const others[] = {"#8250df", "#bf3989", "#0e7490", "#57606a"};
  size_t hash = 0;
  for (const char c : name) hash = hash * 31 + static_cast<unsigned char>(c);
  return others[hash % std::size(others)];
}

std::string number(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Collects elements.
class Canvas {
 public:
  Canvas(double width, double height) {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << " " << height
         << "\" width=\"" << width << "\" height=\"" << height
         << "\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  }

  void line(double x1, double y1, double x2, double y2, const std::string &color, double width) {
    out_ << "<line x1=\"" << number(x1) << "\" y1=\"" << number(y1) << "\" x2=\"" << number(x2)
         << "\" y2=\"" << number(y2) << "\" stroke=\"" << color << "\" stroke-width=\"" << width
         << "\"/>\n";
  }

  void path(const std::vector<std::pair<double, double>> &points, const std::string &color) {
    out_ << "<polyline fill=\"none\" stroke-width=\"2.2\" stroke-linejoin=\"round\" stroke=\""
         << color << "\" points=\"";
    for (const auto &[x, y] : points) out_ << number(x) << "," << number(y) << " ";
    out_ << "\"/>\n";
  }

  void dot(double x, double y, const std::string &color) {
    out_ << "<circle cx=\"" << number(x) << "\" cy=\"" << number(y) << "\" r=\"3.2\" fill=\""
         << color << "\"/>\n";
  }

  void box(double x, double y, double width, double height, const std::string &color) {
    out_ << "<rect x=\"" << number(x) << "\" y=\"" << number(y) << "\" width=\"" << number(width)
         << "\" height=\"" << number(height) << "\" fill=\"" << color << "\"/>\n";
  }

  // `anchor`: start, middle or end.
  void text(double x, double y, const std::string &content, const char *anchor,
            const std::string &attributes = "") {
    out_ << "<text x=\"" << number(x) << "\" y=\"" << number(y) << "\" text-anchor=\"" << anchor
         << "\" fill=\"" << kInk << "\" " << attributes << ">" << escaped(content) << "</text>\n";
  }

  void titles(const std::string &title, const std::string &subtitle) {
    text(16, 26, title, "start", "font-size=\"17\" font-weight=\"bold\"");
    text(16, 45, subtitle, "start", "font-size=\"12\" opacity=\"0.75\"");
  }

  std::string finish() {
    out_ << "</svg>\n";
    return out_.str();
  }

 private:
  std::ostringstream out_;
};

std::vector<Tick> shown_ticks(const Scale &scale, const std::vector<double> &chosen) {
  if (chosen.empty()) return scale.ticks();
  std::vector<Tick> ticks;
  for (const double value : chosen) ticks.push_back({value, short_number(value)});
  return ticks;
}

void draw_axes(Canvas &canvas, const LinePlot &plot, const Scale &x, const Scale &y) {
  const double right = kWidth - kRight, bottom = kHeight - kBottom;
  for (const Tick &tick : shown_ticks(x, plot.x_ticks)) {
    const double at = kLeft + x.position(tick.value) * (right - kLeft);
    canvas.line(at, kTop, at, bottom, kFaint, 1);
    canvas.text(at, bottom + 18, tick.label, "middle");
  }
  for (const Tick &tick : y.ticks()) {
    const double at = bottom - y.position(tick.value) * (bottom - kTop);
    canvas.line(kLeft, at, right, at, kFaint, 1);
    canvas.text(kLeft - 8, at + 4.5, tick.label, "end");
  }
  canvas.line(kLeft, bottom, right, bottom, kGrey, 1.4);
  canvas.line(kLeft, kTop, kLeft, bottom, kGrey, 1.4);
  canvas.text((kLeft + right) / 2, kHeight - 16, plot.x_label, "middle");
  char turn[64];
  snprintf(turn, sizeof turn, "transform=\"rotate(-90 20 %.1f)\"", (kTop + bottom) / 2);
  canvas.text(20, (kTop + bottom) / 2, plot.y_label, "middle", turn);
}

void draw_legend(Canvas &canvas, double x, double y, const std::vector<std::string> &names) {
  for (const std::string &name : names) {
    canvas.box(x, y - 9, 14, 9, color_of(name));
    canvas.text(x + 20, y, name, "start");
    y += 21;
  }
}

// What the longest name needs beyond the room that all legends have.
double wider_for(const std::vector<std::string> &names) {
  constexpr double kLetter = 7.2, kRoom = kRight - 44;
  double most = 0;
  for (const std::string &name : names) {
    most = std::max(most, kLetter * static_cast<double>(name.size()));
  }
  return std::max(most - kRoom, 0.0);
}

double largest(const BarPlot &plot) {
  double most = 0;
  for (const BarPlot::Group &group : plot.groups) {
    for (const BarPlot::Bar &bar : group.bars) most = std::max(most, bar.value);
  }
  return most > 0 ? most : 1;
}

}  // namespace

std::string escaped(const std::string &text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string svg(const LinePlot &plot) {
  std::vector<double> xs = plot.x_ticks, ys;
  std::vector<std::string> names;
  for (const LinePlot::Series &series : plot.series) {
    names.push_back(series.name);
    for (const auto &[x, y] : series.points) {
      xs.push_back(x);
      ys.push_back(y);
    }
  }
  const Scale x_scale(plot.x_scale, xs), y_scale(plot.y_scale, ys);
  Canvas canvas(kWidth + wider_for(names), kHeight);
  canvas.titles(plot.title, plot.subtitle);
  draw_axes(canvas, plot, x_scale, y_scale);
  for (const LinePlot::Series &series : plot.series) {
    std::vector<std::pair<double, double>> placed;
    for (const auto &[x, y] : series.points) {
      placed.emplace_back(kLeft + x_scale.position(x) * (kWidth - kRight - kLeft),
                          kHeight - kBottom - y_scale.position(y) * (kHeight - kBottom - kTop));
    }
    canvas.path(placed, color_of(series.name));
    for (const auto &[x, y] : placed) canvas.dot(x, y, color_of(series.name));
  }
  draw_legend(canvas, kWidth - kRight + 18, kTop + 14, names);
  return canvas.finish();
}

std::string svg(const BarPlot &plot) {
  constexpr double kBar = 17, kGap = 16, kNames = 150;
  double height = kTop + 24;
  std::vector<std::string> names;
  for (const BarPlot::Group &group : plot.groups) {
    height += static_cast<double>(group.bars.size()) * (kBar + 3) + kGap;
    for (const BarPlot::Bar &bar : group.bars) {
      if (std::find(names.begin(), names.end(), bar.name) == names.end()) names.push_back(bar.name);
    }
  }
  Canvas canvas(kWidth + wider_for(names), height);
  canvas.titles(plot.title, plot.subtitle);
  const double room = kWidth - kNames - 110 - kRight;
  double y = kTop + 8;
  for (const BarPlot::Group &group : plot.groups) {
    const double middle = y + static_cast<double>(group.bars.size()) * (kBar + 3) / 2;
    canvas.text(kNames - 12, middle + 3, group.name, "end");
    for (const BarPlot::Bar &bar : group.bars) {
      const double width = bar.value / largest(plot) * (room + 70);
      canvas.box(kNames, y, std::max(width, 1.0), kBar, color_of(bar.name));
      canvas.text(kNames + width + 6, y + kBar - 4, short_number(bar.value) + " " + plot.unit,
                  "start");
      y += kBar + 3;
    }
    y += kGap;
  }
  canvas.line(kNames, kTop, kNames, y - kGap + 4, kGrey, 1.4);
  draw_legend(canvas, kWidth - kRight + 18, kTop + 14, names);
  return canvas.finish();
}

}  // namespace vann::bench

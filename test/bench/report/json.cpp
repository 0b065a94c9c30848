// json.cpp — all points with all readings.
#include <cmath>
#include <cstdio>
#include <sstream>

#include "bench/report/report.hpp"

namespace vann::bench {
namespace {

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      result += std::string("\\") + c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      result += escape;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  snprintf(text, sizeof text, "%.10g", value);
  return text;
}

std::string object(const std::vector<std::pair<std::string, std::string>> &members) {
  std::string text;
  for (const auto &[name, value] : members) {
    text += (text.empty() ? "" : ", ") + quoted(name) + ": " + quoted(value);
  }
  return "{" + text + "}";
}

std::string data_json(const DataFacts &data) {
  return "{\"name\": " + quoted(data.name) + ", \"metric\": " + quoted(data.metric) +
         ", \"rows\": " + std::to_string(data.rows) + ", \"held\": " + std::to_string(data.held) +
         ", \"dims\": " + std::to_string(data.dims) +
         ", \"queries\": " + std::to_string(data.queries) + "}";
}

std::string value_json(const Value &value) {
  std::string readings;
  for (const double reading : value.readings) {
    readings += (readings.empty() ? "" : ", ") + number(reading);
  }
  return quoted(value.name) + ": {\"median\": " + number(value.median()) + ", \"readings\": [" +
         readings + "]}";
}

std::string point_json(const Point &point) {
  std::string values;
  for (const Value &value : point.values)
    values += (values.empty() ? "" : ", ") + value_json(value);
  return "{\"data\": " + quoted(point.data) + ", \"measure\": " + quoted(point.measure) +
         ", \"engine\": " + quoted(point.engine) + ", \"parameters\": " + object(point.parameters) +
         ", \"values\": {" + values + "}}";
}

std::string note_json(const Note &note) {
  return object({{"data", note.data}, {"measure", note.measure}, {"text", note.text}});
}

template <class Item, class Format>
void list(std::ostream &out, const char *name, const std::vector<Item> &items, Format format,
          const char *after) {
  out << "  " << quoted(name) << ": [";
  const char *separator = "\n    ";
  for (const Item &item : items) {
    out << separator << format(item);
    separator = ",\n    ";
  }
  out << "\n  ]" << after << "\n";
}

}  // namespace

std::string json(const Facts &facts, const Results &results) {
  std::vector<std::pair<std::string, std::string>> versions, families;
  for (const EngineFacts &engine : facts.engines) {
    versions.emplace_back(engine.name, engine.version);
    families.emplace_back(engine.name, engine.family == Family::kGraphs ? "graphs" : "lists");
  }
  std::ostringstream out;
  out << "{\n  \"date\": " << quoted(facts.date) << ",\n  \"commit\": " << quoted(facts.commit)
      << ",\n  \"profile\": " << quoted(facts.profile)
      << ",\n  \"processor\": " << quoted(facts.processor)
      << ",\n  \"server_version\": " << quoted(facts.server_version)
      << ",\n  \"engines\": " << object(versions) << ",\n  \"families\": " << object(families)
      << ",\n  \"settings\": " << object(facts.settings) << ",\n";
  list(out, "data", facts.data, data_json, ",");
  list(out, "notes", results.notes, note_json, ",");
  list(out, "points", results.points, point_json, "");
  out << "}\n";
  return out.str();
}

}  // namespace vann::bench

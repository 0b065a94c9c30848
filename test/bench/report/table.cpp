// table.cpp — padding and digits.
#include "bench/report/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vann::bench {
namespace {

std::string with_thousands(const std::string &digits) {
  std::string text = digits;
  const size_t sign = text.starts_with("-") ? 1 : 0;
  for (size_t at = text.size(); at > sign + 3;) text.insert(at -= 3, ",");
  return text;
}

std::string padded(const std::string &cell, size_t width, bool left) {
  const std::string blanks(width - std::min(width, cell.size()), ' ');
  return left ? cell + blanks : blanks + cell;
}

}  // namespace

std::string with_digits(double value, int digits) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string shown(double value) {
  const double size = std::fabs(value);
  if (size >= 999.5) return with_thousands(with_digits(value, 0));
  if (size == 0) return "0";
  return with_digits(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}

std::string shown(const std::optional<double> &value) { return value ? shown(*value) : ""; }

std::string ratio(const std::optional<double> &a, const std::optional<double> &b) {
  if (!a || !b || *a <= 0 || *b <= 0) return "";
  const double r = *a / *b;
  return with_digits(r, r >= 9.95 ? 0 : r >= 0.995 ? 1 : 2) + "x";
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (const std::string &cell : head_) widths.push_back(std::max<size_t>(cell.size(), 3));
  for (const auto &row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  const auto line = [&](const std::vector<std::string> &row) {
    text += "|";
    for (size_t i = 0; i < row.size(); ++i) text += " " + padded(row[i], widths[i], i == 0) + " |";
    text += "\n";
  };
  line(head_);
  text += "|";
  for (size_t i = 0; i < widths.size(); ++i) {
    text += std::string(widths[i] + 1, '-') + (i == 0 ? "-|" : ":|");
  }
  text += "\n";
  for (const auto &row : rows_) line(row);
  return text;
}

}  // namespace vann::bench

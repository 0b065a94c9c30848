// table.hpp — tables of Markdown, and numbers in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vann::bench {

class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}

  // As many cells as the head has.
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // Columns are padded, so that the text is readable too; first column to the left, others to the
  // right.
  std::string text() const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

// Three significant digits or more: 12,345 from a thousand on, 123, 12.3, 1.23, 0.123.
std::string shown(double value);
std::string shown(const std::optional<double> &value);  // empty where there is none
std::string with_digits(double value, int digits);
// "3.2x"; empty where either is missing or not above 0.
std::string ratio(const std::optional<double> &a, const std::optional<double> &b);

}  // namespace vann::bench

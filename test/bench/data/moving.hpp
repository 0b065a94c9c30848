// moving.hpp — rows of a data set that lie in one half of its regions, and others, in the other half,
// that take the place of every second of them.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "bench/data/attributes.hpp"

namespace vann::bench {

class MovingRows {
 public:
  // At most `rows` original rows among those to index, and half as many that arrive; fewer
  // where the halves have fewer. Keeps a reference to the attributes.
  MovingRows(const Dataset &data, const Attributes &attributes, size_t rows);

  bool is_original(size_t row) const { return first_half_[region(row)] && in(row, original_end_); }
  bool arrives(size_t row) const { return !first_half_[region(row)] && in(row, arriving_end_); }
  bool stays(size_t row) const { return is_original(row) && row % 2 == 1; }

  size_t n_original() const { return n_original_; }
  size_t n_arriving() const { return n_arriving_; }

  // The same of the columns id and region.
  std::string original_condition() const { return condition(true, original_end_); }
  std::string arriving_condition() const { return condition(false, arriving_end_); }
  // Of originals, where those that arrive are present too.
  std::string leaving_condition() const { return original_condition() + " AND id % 2 = 0"; }

 private:
  size_t region(size_t row) const { return static_cast<size_t>(attributes_.region[row]); }
  bool in(size_t row, size_t end) const { return row >= begin_ && row < end; }
  void divide_regions();
  std::string condition(bool first_half, size_t end) const;

  const Attributes &attributes_;
  const size_t begin_;  // of the rows to index
  std::array<bool, kRegions> first_half_{};
  size_t original_end_ = 0;
  size_t arriving_end_ = 0;
  size_t n_original_ = 0;
  size_t n_arriving_ = 0;
};

}  // namespace vann::bench

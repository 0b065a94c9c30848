// balance.cpp — decides which lists give their numbers to which, and splits by k-means.
#include "core/cluster/balance.hpp"

#include <algorithm>
#include <queue>
#include <utility>

#include "core/cluster/seeds.hpp"

#include "core/base/no_postgres.hpp"

namespace vann::cluster {
namespace {

constexpr uint32_t kSplitIterations = 4;
// A list up to half the mean length may go as well, if that shortens a long one.
constexpr double kSpareList = 0.5;

class Planner {
 public:
  Planner(const build::RowView &view, const Clustering &clustering, uint32_t wanted)
      : clustering_(clustering), parts_(clustering.lists(), 1),
        target_(static_cast<double>(clustering.members.size()) / wanted) {
    for (uint32_t list = 0; list < clustering.lists(); ++list) {
      const uint32_t rows = clustering.rows_of_list(list);
      if (rows == 0) {
        parts_[list] = 0;
        continue;
      }
      ++used_;
      const auto members = std::span(clustering.members).subspan(clustering.list_rows[list], rows);
      if (find_other(view, members) != members.front()) push(list);
      if (rows < kSpareList * target_) spare_.push_back({rows, list});
    }
    std::sort(spare_.begin(), spare_.end());
    count_cell_lists();
  }

  std::vector<uint32_t> plan(uint32_t wanted, Plan plan) {
    size_t spare = 0;
    while (!longest_.empty()) {
      const auto [length, list] = longest_.top();
      if (parts_[list] == 0) {  // dissolved meanwhile
        longest_.pop();
        continue;
      }
      if (used_ < wanted) {
        ++used_;
      } else if (plan == Plan::kFill) {
        break;
      } else {
        while (spare < spare_.size() && !may_dissolve(spare_[spare].second)) ++spare;
        if (spare == spare_.size() || !worth(spare_[spare].first, length)) break;
        dissolve(spare_[spare++].second);
      }
      longest_.pop();
      ++parts_[list];
      push(list);
    }
    return std::move(parts_);
  }

 private:
  // Length per part, and the list; of equal ones the lowest number comes first.
  using Entry = std::pair<double, uint32_t>;
  struct Later {
    bool operator()(const Entry &a, const Entry &b) const noexcept {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    }
  };

  void push(uint32_t list) {
    const double rows = clustering_.rows_of_list(list);
    if (rows > parts_[list]) longest_.push({rows / parts_[list], list});
  }

  void count_cell_lists() {
    cell_of_.resize(parts_.size());
    lists_of_cell_.resize(clustering_.cells());
    for (uint32_t cell = 0; cell < clustering_.cells(); ++cell) {
      for (uint32_t i = clustering_.cell_lists[cell]; i < clustering_.cell_lists[cell + 1]; ++i) {
        cell_of_[i] = cell;
        lists_of_cell_[cell] += parts_[i] > 0;
      }
    }
  }

  bool may_dissolve(uint32_t list) const {
    return parts_[list] == 1 && lists_of_cell_[cell_of_[list]] > 1;
  }
  bool worth(uint32_t rows, double longest) const {
    return rows < kShortList * target_ ? longest > target_ : longest > kLongList * target_;
  }
  void dissolve(uint32_t list) {
    parts_[list] = 0;
    --lists_of_cell_[cell_of_[list]];
  }

  const Clustering &clustering_;
  std::vector<uint32_t> parts_;
  double target_;
  uint32_t used_ = 0;
  std::vector<std::pair<uint32_t, uint32_t>> spare_;  // rows, list: shortest first
  std::priority_queue<Entry, std::vector<Entry>, Later> longest_;
  std::vector<uint32_t> cell_of_;        // by list
  std::vector<uint32_t> lists_of_cell_;  // that remain
};

// The lists to be split as cells of their own, with k-means done; `shares` are their parts.
Clustering split_lists(Lloyd &lloyd, const Clustering &clustering,
                       const std::vector<uint32_t> &parts) {
  Clustering split;
  std::vector<uint32_t> shares;
  split.cell_rows.push_back(0);
  for (size_t list = 0; list < parts.size(); ++list) {
    if (parts[list] < 2) continue;
    const auto members = clustering.members.begin();
    split.members.insert(split.members.end(), members + clustering.list_rows[list],
                         members + clustering.list_rows[list + 1]);
    split.cell_rows.push_back(static_cast<uint32_t>(split.members.size()));
    shares.push_back(parts[list]);
  }
  if (shares.empty()) return split;
  lloyd.seed(split, shares);
  lloyd.run(split, kSplitIterations);
  return split;
}

// Replaces the lists by what the plan made of them, in their old places.
void replace_lists(const std::vector<uint32_t> &parts, const Clustering &split, size_t dims,
                   Clustering &clustering) {
  PageVector<float> centroids;
  centroids.reserve((clustering.lists() + split.centroids.size() / dims) * dims);
  const auto keep = [&](const Clustering &from, size_t list) {
    const float *centroid = from.centroids.data() + list * dims;
    centroids.insert(centroids.end(), centroid, centroid + dims);
  };
  std::vector<uint32_t> cell_lists{0};
  size_t split_cell = 0;
  for (size_t cell = 0; cell < clustering.cells(); ++cell) {
    for (uint32_t i = clustering.cell_lists[cell]; i < clustering.cell_lists[cell + 1]; ++i) {
      if (parts[i] == 1) keep(clustering, i);
      if (parts[i] < 2) continue;
      const uint32_t end = split.cell_lists[split_cell + 1];
      for (uint32_t j = split.cell_lists[split_cell]; j < end; ++j) {
        if (split.rows_of_list(j) > 0) keep(split, j);
      }
      ++split_cell;
    }
    cell_lists.push_back(static_cast<uint32_t>(centroids.size() / dims));
  }
  clustering.centroids.swap(centroids);
  clustering.cell_lists.swap(cell_lists);
}

}  // namespace

std::vector<uint32_t> plan_parts(const build::RowView &view, const Clustering &clustering,
                                 uint32_t wanted, Plan plan) {
  return Planner(view, clustering, wanted).plan(wanted, plan);
}

bool balance(Lloyd &lloyd, Clustering &clustering, uint32_t wanted, Plan plan,
             uint32_t iterations) {
  const std::vector<uint32_t> parts = plan_parts(lloyd.view(), clustering, wanted, plan);
  if (std::all_of(parts.begin(), parts.end(), [](uint32_t p) { return p == 1; })) return false;
  const Clustering split = split_lists(lloyd, clustering, parts);
  replace_lists(parts, split, lloyd.view().dims(), clustering);
  lloyd.run(clustering, iterations);
  return true;
}

void fill(Lloyd &lloyd, Clustering &clustering, uint32_t wanted) {
  // Centroids of rows that their codes hardly tell apart can stay without rows again and again.
  for (uint32_t before = 0; clustering.used_lists() > before;) {
    before = clustering.used_lists();
    if (before == wanted || !balance(lloyd, clustering, wanted, Plan::kFill, 1)) return;
  }
}

void drop_empty(size_t dims, Clustering &clustering) {
  std::vector<uint32_t> parts(clustering.lists());
  std::vector<uint32_t> list_rows{0};
  std::vector<double> list_error;
  for (size_t list = 0; list < parts.size(); ++list) {
    parts[list] = clustering.rows_of_list(list) > 0 ? 1 : 0;
    if (parts[list] == 0) continue;
    list_rows.push_back(clustering.list_rows[list + 1]);
    list_error.push_back(clustering.list_error[list]);
  }
  replace_lists(parts, Clustering(), dims, clustering);
  clustering.list_rows.swap(list_rows);
  clustering.list_error.swap(list_error);

  std::vector<uint32_t> cell_lists{0};
  std::vector<uint32_t> cell_rows{0};
  for (size_t cell = 0; cell < clustering.cells(); ++cell) {
    if (clustering.cell_lists[cell + 1] == clustering.cell_lists[cell]) continue;
    cell_lists.push_back(clustering.cell_lists[cell + 1]);
    cell_rows.push_back(clustering.cell_rows[cell + 1]);
  }
  clustering.cell_lists.swap(cell_lists);
  clustering.cell_rows.swap(cell_rows);
}

}  // namespace vann::cluster

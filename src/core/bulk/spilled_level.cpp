// spilled_level.cpp — the stages in turn, and reading their result back.
#include "core/bulk/spilled_level.hpp"

#include <algorithm>

#include "core/build/connect.hpp"
#include "core/bulk/list_files.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr uint32_t kRowsPerRead = 1024;

// The links of a level in their file.
class FileLinks final : public build::Links {
 public:
  FileLinks(RowFile &rows, size_t degree, spill::BufferedFile &file)
      : rows_(rows), degree_(degree), file_(file) {}

  size_t rows() const noexcept override { return rows_.rows(); }
  size_t degree() const noexcept override { return degree_; }
  Rows load(uint32_t begin, size_t count, bool changes) override {
    flush();
    slots_.resize(count * degree_);
    offset_ = size_t{begin} * degree_ * sizeof(build::Candidate);
    file_.read(offset_, slots_.data(), slots_.size() * sizeof(build::Candidate));
    changed_ = changes;
    return {slots_.data(), degree_};
  }
  float distance(uint32_t a, uint32_t b) override { return rows_.distance(a, b); }

  void flush() {
    if (changed_) file_.overwrite(offset_, slots_.data(), slots_.size() * sizeof(build::Candidate));
    changed_ = false;
  }

 private:
  RowFile &rows_;
  size_t degree_;
  spill::BufferedFile &file_;
  std::vector<build::Candidate> slots_;
  uint64_t offset_ = 0;
  bool changed_ = false;
};

// Kept neighbors and fillers are each in order, so two runs are the rule.
void sort_links(std::span<build::Candidate> list) {
  const auto second = std::is_sorted_until(list.begin(), list.end());
  if (std::is_sorted(second, list.end())) {
    std::inplace_merge(list.begin(), second, list.end());
  } else {
    std::sort(list.begin(), list.end());
  }
}

}  // namespace

SpilledLevel::SpilledLevel(std::unique_ptr<RowFile> arrivals, const Params &params,
                           spill::SpillSpace &space, StageTimer &timer)
    : params_(params), plan_(plan_spill(params, arrivals->rows())) {
  parallel::Team team(params_.graph.threads, timer);
  const Context context{params_, plan_, space, timer, team};
  placed_ = std::make_unique<PlacedRows>(place_rows(std::move(arrivals), context));
  rows_ = placed_->size();
  entry_ = placed_->entry;
  if (rows_ <= params_.graph.degree + 1) {
    links_ = std::make_unique<spill::BufferedFile>(space.create(), plan_.buffer_bytes);
    link_all();
  } else {
    link(context);
  }
  residents_ = std::make_unique<Residents>(rows_, params_.dims, plan_.resident_rows);
}

void SpilledLevel::link(const Context &context) {
  auto partial = compare_cells(*placed_, context);
  auto pruned = prune_lists(*placed_, std::move(partial), context);
  links_ = add_reverse_edges(*placed_, std::move(pruned), context);
  FileLinks links(placed_->rows, params_.graph.degree, *links_);
  build::connect_rows(links, entry_, context.team);
  links.flush();
}

// Every row to every other.
void SpilledLevel::link_all() {
  std::vector<build::Candidate> list;
  for (uint32_t row = 0; row < rows_; ++row) {
    list.clear();
    for (uint32_t other = 0; other < rows_; ++other)
      if (other != row) list.push_back(build::make_candidate(placed_->rows.distance(row, other), other));
    std::sort(list.begin(), list.end());
    list.resize(params_.graph.degree, build::kNoCandidate);
    links_->append(list.data(), list.size() * sizeof(build::Candidate));
  }
  links_->finish();
}

void SpilledLevel::read_links(uint32_t begin, uint32_t count) {
  const size_t degree = params_.graph.degree;
  loaded_.resize(count * degree);
  links_->read(size_t{begin} * degree * sizeof(build::Candidate), loaded_.data(),
               loaded_.size() * sizeof(build::Candidate));
}

const Stretch &SpilledLevel::load(uint32_t begin, uint32_t most) {
  const size_t degree = params_.graph.degree;
  most = std::min(most, rows_ - begin);
  residents_->clear();
  neighbors_.clear();
  uint32_t end = begin;
  while (end < begin + most && (end == begin || !residents_->is_full())) {
    const uint32_t count = std::min(kRowsPerRead, begin + most - end);
    read_links(end, count);
    for (uint32_t i = 0; i < count && (end == begin || !residents_->is_full()); ++i, ++end) {
      const auto list = std::span(loaded_).subspan(i * degree, degree);
      for (build::Candidate &candidate : list)
        if (candidate != build::kNoCandidate) candidate = build::unmarked(candidate);
      sort_links(list);
      residents_->add(end);
      for (const build::Candidate candidate : list) {
        const uint32_t neighbor = build::row_of(candidate);  // kNoRow in a free slot
        neighbors_.push_back(neighbor);
        if (neighbor != build::kNoRow) residents_->add(neighbor);
      }
    }
  }
  residents_->load(placed_->rows, 0);
  const build::VectorSet set = residents_->codes().set();
  stretch_ = {begin, end, static_cast<uint32_t>(degree), residents_->codes().stride(),
              neighbors_.data(), set.values, set.codes, residents_->codes().keys(), nullptr,
              &residents_->members()};
  return stretch_;
}

void SpilledLevel::visit(const Visit &visit) {
  RowBlock chunk(params_.dims);
  for (uint32_t first = 0; first < rows_; first += static_cast<uint32_t>(chunk.size())) {
    placed_->rows.read(first, std::min<size_t>(plan_.chunk_rows, rows_ - first), chunk);
    for (uint32_t i = 0; i < chunk.size(); ++i)
      visit(first + i, chunk.key(i), chunk.code(i), chunk.values(i));
  }
}

}  // namespace vann::bulk

// prune_lists.cpp — both pruning stages over files: the lists of a block of rows are in memory, and of
// these as many rows at a time as the codes of their candidates are.
#include <algorithm>
#include <cstring>

#include "core/build/prune.hpp"
#include "core/bulk/list_files.hpp"
#include "core/bulk/memory_plan.hpp"
#include "core/bulk/residents.hpp"
#include "core/bulk/reverse_block.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kRowsPerChunk = 64;

// What both stages hold: a block's lists, and the residents of a part of it.
class BlockWork {
 public:
  BlockWork(PlacedRows &placed, build::Stage stage, const Context &context)
      : placed_(placed), context_(context), stage_(stage),
        lists_(0, list_length(context.params), context.team),
        residents_(placed.size(), context.params.dims, context.plan.resident_rows),
        scratch_(context.team.threads()) {}

 protected:
  uint32_t base() const noexcept { return placed_.block_begin[block_]; }
  uint32_t rows() const noexcept { return placed_.block_begin[block_ + 1] - base(); }
  size_t degree() const noexcept { return context_.params.graph.degree; }

  void begin(size_t block) {
    block_ = block;
    context_.timer.set_part(base(), 0, placed_.size());
    lists_.reset(rows(), stage_, context_.team);
    kept_.resize(rows());
  }

  void add_residents(std::span<const build::Candidate> list) {
    for (const build::Candidate candidate : list) {
      if (candidate == build::kNoCandidate) continue;
      residents_.add(build::row_of(candidate));
    }
  }

  // Calls add(row) for rows of the block until their residents fill memory, loads these, calls
  // work(row, scratch) for the same rows on all threads, and so on. Rows count from the block's base.
  template <class Add, class Work>
  void for_parts(Add &&add, Work &&work) {
    for (uint32_t begin = 0; begin < rows();) {
      residents_.clear();
      uint32_t end = begin;
      do {
        residents_.add(base() + end);
        add(end++);
      } while (end < rows() && !residents_.is_full());
      residents_.load(placed_.rows, degree() + 1);
      context_.timer.set_part(base() + begin, end - begin, placed_.size());
      const parallel::Loop loop{static_cast<int>(stage_), end - begin, kRowsPerChunk, 0, end - begin};
      context_.team.run(loop, [&](parallel::Worker &worker, size_t from, size_t to) {
        for (size_t row = from; row < to; ++row)
          work(begin + static_cast<uint32_t>(row), scratch_[worker.index()]);
      });
      begin = end;
    }
    context_.timer.set_part(0, 0, 0);
  }

  PlacedRows &placed_;
  const Context &context_;
  build::Stage stage_;
  size_t block_ = 0;
  build::CandidateLists lists_;
  build::KeptCounts kept_;
  Residents residents_;
  std::vector<build::PruneScratch> scratch_;
};

// ---- The first prune -------------------------------------------------------------------------

class FirstPrune : BlockWork {
 public:
  FirstPrune(PlacedRows &placed, const Context &context)
      : BlockWork(placed, build::Stage::kPrune, context), blocks_(placed.block_begin),
        out_{{context.space.create(), size_t{64} << 10},
             {context.space.create(), size_t{8} << 10},
             block_files(placed.blocks(), context)} {}

  void run(size_t block, PartialLists partial) {
    begin(block);
    merge(partial);
    for_parts([this](uint32_t row) { add_residents(lists_.list(row)); },
              [this](uint32_t row, build::PruneScratch &scratch) { prune(row, scratch); });
    write();
  }

  PrunedLists finish() {
    out_.lists.finish();
    out_.kept.finish();
    for (auto &file : out_.reverse) file.finish();
    return std::move(out_);
  }

 private:
  void merge(PartialLists &partial);
  void prune(uint32_t row, build::PruneScratch &scratch);
  void write();

  BlockMap blocks_;
  PrunedLists out_;
};

// Reads a stretch of records and merges them on all threads.
void FirstPrune::merge(PartialLists &partial) {
  struct Head {
    uint32_t row;
    uint32_t count;
  };
  PageVector<std::byte> bytes(kReadBytes);
  std::vector<size_t> heads;
  const uint64_t size = partial.file.size();
  for (uint64_t offset = 0; offset < size;) {
    const size_t read = static_cast<size_t>(std::min<uint64_t>(kReadBytes, size - offset));
    partial.file.read(offset, bytes.data(), read);
    heads.clear();
    size_t at = 0;
    while (at + sizeof(Head) <= read) {
      Head head;
      std::memcpy(&head, bytes.data() + at, sizeof head);
      const size_t next = at + sizeof head + head.count * sizeof(build::Candidate);
      if (next > read) break;
      heads.push_back(at);
      at = next;
    }
    const parallel::Loop loop{static_cast<int>(stage_), heads.size(), kRowsPerChunk, 0, 0};
    context_.team.run(loop, [&](parallel::Worker &, size_t from, size_t to) {
      for (size_t i = from; i < to; ++i) {
        Head head;
        std::memcpy(&head, bytes.data() + heads[i], sizeof head);
        const auto *list =
            reinterpret_cast<const build::Candidate *>(bytes.data() + heads[i] + sizeof head);
        lists_.merge(head.row - base(), {list, head.count});
      }
    });
    offset += at;
  }
}

void FirstPrune::prune(uint32_t row, build::PruneScratch &scratch) {
  const auto list = build::without_free_slots(lists_.list(row));
  residents_.to_places(list);
  kept_[row] = static_cast<uint16_t>(
      build::robust_prune(residents_.view(), list, degree(), scratch));
  residents_.to_numbers(list);
}

void FirstPrune::write() {
  const size_t length = lists_.length();
  out_.lists.append(lists_.list(0).data(), rows() * length * sizeof(build::Candidate));
  out_.kept.append(kept_.data(), rows() * sizeof(uint16_t));
  for (uint32_t row = 0; row < rows(); ++row) {
    for (const build::Candidate edge : lists_.list(row).first(kept_[row])) {
      const uint32_t target = build::row_of(edge);
      const ReverseEdge reverse{target, base() + row, build::distance_of(edge)};
      out_.reverse[blocks_.block_of(target)].append(&reverse, sizeof reverse);
    }
  }
}

// ---- The second prune ------------------------------------------------------------------------

class SecondPrune : BlockWork {
 public:
  SecondPrune(PlacedRows &placed, PrunedLists pruned, const Context &context)
      : BlockWork(placed, build::Stage::kReverse, context), pruned_(std::move(pruned)),
        links_(std::make_unique<spill::BufferedFile>(context.space.create(), size_t{64} << 10)) {}

  void run(size_t block) {
    begin(block);
    const size_t length = lists_.length();
    pruned_.lists.read(size_t{base()} * length * sizeof(build::Candidate), lists_.list(0).data(),
                       rows() * length * sizeof(build::Candidate));
    pruned_.kept.read(base() * sizeof(uint16_t), kept_.data(), rows() * sizeof(uint16_t));
    ReverseBlock reverse(std::move(pruned_.reverse[block]), base(), rows(),
                         context_.plan.block_rows * degree());
    for_parts(
        [&](uint32_t row) {
          add_residents(lists_.list(row));
          add_residents(reverse.into(row));
        },
        [&](uint32_t row, build::PruneScratch &scratch) { select(row, reverse.into(row), scratch); });
    for (uint32_t row = 0; row < rows(); ++row)
      links_->append(lists_.list(row).data(), degree() * sizeof(build::Candidate));
  }

  std::unique_ptr<spill::BufferedFile> finish() {
    links_->finish();
    return std::move(links_);
  }

 private:
  void select(uint32_t row, std::span<build::Candidate> reverse, build::PruneScratch &scratch) {
    const auto list = lists_.list(row);
    residents_.to_places(list);
    residents_.to_places(reverse);
    const uint32_t place = residents_.place(base() + row);
    build::select_neighbors(residents_.view(), place, degree(),
                            build::Random(~context_.params.graph.seed, base() + row), list,
                            kept_[row], reverse, scratch);
    residents_.to_numbers(list.first(degree()));
  }

  PrunedLists pruned_;
  std::unique_ptr<spill::BufferedFile> links_;
};

}  // namespace

PrunedLists prune_lists(PlacedRows &placed, std::vector<PartialLists> partial,
                        const Context &context) {
  FirstPrune prune(placed, context);
  for (size_t block = 0; block < placed.blocks(); ++block)
    prune.run(block, std::move(partial[block]));
  return prune.finish();
}

std::unique_ptr<spill::BufferedFile> add_reverse_edges(PlacedRows &placed, PrunedLists pruned,
                                                       const Context &context) {
  SecondPrune prune(placed, std::move(pruned), context);
  for (size_t block = 0; block < placed.blocks(); ++block) prune.run(block);
  return prune.finish();
}

}  // namespace vann::bulk

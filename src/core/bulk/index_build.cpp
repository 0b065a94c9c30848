// index_build.cpp — level after level: the rows of one are drawn from those of the level below.
#include "core/bulk/index_build.hpp"

#include "core/bulk/arrivals.hpp"
#include "core/bulk/memory_duplicates.hpp"
#include "core/bulk/memory_level.hpp"
#include "core/bulk/memory_plan.hpp"
#include "core/build/random.hpp"
#include "core/bulk/spilled_level.hpp"
#include "core/bulk/stage_timer.hpp"
#include "core/bulk/watched_space.hpp"
#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

// True for one key in `divisor`: whether a row of a level is also on the next one.
bool rises(RowKey key, size_t level, uint64_t seed, double divisor) noexcept {
  build::Random random(seed + level, key);
  const double uniform = static_cast<double>(random.next() >> 11) * 0x1p-53;
  return uniform * divisor < 1;
}

}  // namespace

struct IndexBuild::State {
  State(const Params &wanted, spill::SpillSpace &space_, parallel::Monitor &monitor)
      : params(wanted), space(space_, monitor), timer(monitor),
        arrivals(std::in_place, params.dims, rows_in_memory(params), space) {}

  void link_level(Arrivals &&from);
  void link_levels();
  bool raise(size_t to);

  Params params;
  WatchedSpace space;
  StageTimer timer;
  std::optional<Arrivals> arrivals;  // until linked
  uint64_t rows = 0;
  bool spilled = false;
  std::vector<std::unique_ptr<Level>> levels;
  std::unique_ptr<Duplicates> duplicates;
};

void IndexBuild::State::link_level(Arrivals &&from) {
  const bool bottom = levels.empty();
  if (from.spilled()) {
    auto level = std::make_unique<SpilledLevel>(from.take_file(), params, space, timer);
    if (bottom) duplicates = level->take_duplicates();
    levels.push_back(std::move(level));
  } else {
    auto level = std::make_unique<MemoryLevel>(std::move(from.store()), params.graph, timer);
    if (bottom) duplicates = std::make_unique<MemoryDuplicates>(level->take_further());
    levels.push_back(std::move(level));
  }
}

// Links the rows that rise to level `to`. False: there are none.
bool IndexBuild::State::raise(size_t to) {
  Level &below = *levels.back();
  Arrivals risen(params.dims, rows_in_memory(params), space);
  below.visit([&](uint32_t number, RowKey key, const quantize::ByteCode &code,
                  const int8_t *values) {
    if (rises(key, to, params.graph.seed, params.level_divisor))
      risen.add(below.element(number), code, values);
  });
  if (risen.rows() == 0) return false;
  link_level(std::move(risen));
  levels.back()->take_keys_as_elements();
  return true;
}

void IndexBuild::State::link_levels() {
  rows = arrivals->rows();
  spilled = arrivals->spilled();
  if (rows == 0) {
    duplicates = std::make_unique<MemoryDuplicates>(std::vector<RowStore::Further>());
    return;
  }
  link_level(std::move(*arrivals));
  arrivals.reset();
  for (int level = 1; level <= params.max_level; ++level) {
    if (!raise(static_cast<size_t>(level))) break;
  }
  timer.stop();
}

IndexBuild::IndexBuild(const Params &params, spill::SpillSpace &space, parallel::Monitor &monitor)
    : state_(std::make_unique<State>(params, space, monitor)) {}

IndexBuild::~IndexBuild() = default;

void IndexBuild::add(RowKey key, const quantize::ByteCode &code, const int8_t *values) {
  state_->arrivals->add(key, code, values);
}

void IndexBuild::link() { state_->link_levels(); }

uint64_t IndexBuild::rows() const noexcept {
  return state_->arrivals ? state_->arrivals->rows() : state_->rows;
}

bool IndexBuild::spilled() const noexcept {
  return state_->arrivals ? state_->arrivals->spilled() : state_->spilled;
}

size_t IndexBuild::levels() const noexcept { return state_->levels.size(); }
Level &IndexBuild::level(size_t level) noexcept { return *state_->levels[level]; }
Duplicates &IndexBuild::duplicates() noexcept { return *state_->duplicates; }
const StageSeconds &IndexBuild::seconds() const noexcept { return state_->timer.seconds(); }

}  // namespace vann::bulk

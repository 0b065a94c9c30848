// organise.cpp — which lists are due, and the order of the work. Holds no lock itself.
#include "am/ivfpq/organise/organise.hpp"

#include "am/ivfpq/organise/list_map.hpp"
#include "am/ivfpq/options.hpp"
#include "am/ivfpq/organise/reassign.hpp"
#include "am/ivfpq/organise/retrain.hpp"
#include "am/ivfpq/organise/settle.hpp"
#include "pg/compat.hpp"

#include <algorithm>

namespace vann::ivfpq {

namespace {

// A list is split when it has more rows than this many times the wanted number, and merged into its
// neighbors below that share of it, the larger one where there are more lists than wanted. Closer bounds (1.25
// and 0.85) find one to two points more after half of the rows went elsewhere, but rewrite most lists of a
// table that changes all the time, and its index grows by the pages on their way.
constexpr double kSplitAbove = 2;
constexpr double kMergeBelow = 0.25;
constexpr double kMergeSurplusBelow = 0.5;
// A list that was not worth splitting, or whose rows take many pages because they are coded against many
// anchors, is looked at again when its rows have become so many times more, or fewer, than when it was written.
constexpr double kChanged = 1.5;
// Lists of so few rows are not worth two.
constexpr uint64_t kLeastSplit = 64;
// Lists shorter than that have no centroid to speak of.
constexpr uint64_t kLeastDrift = 64;
// Mean squared error factors follow mean squared residuals: a centroid that is off by a fifth of
// these (squared) makes them so much larger.
constexpr double kDrift = 1.25;
// Lists next to one that is split, which may take rows of it and give some.
constexpr uint32_t kSplitNeighbors = 8;
// Lists that a list which is merged away may go to.
constexpr uint32_t kMergeNeighbors = 32;
// Above so many new lists there is no old list to be nearer to.
constexpr uint32_t kMostReassigned = 8;
// A list that a split has made may be split again, so many times in one run.
constexpr uint32_t kMostGenerations = 4;

enum class Need : uint8_t { kNothing, kSplit, kMerge, kRefresh };

class Organiser {
 public:
  Organiser(const Index &index, BufferAccessStrategy strategy, Survey *survey,
            MemoryContext context, Maintained *done)
      : run_{index,
             strategy,
             survey,
             context,
             AllocSetContextCreate(context, "ivfpq list", ALLOCSET_DEFAULT_SIZES),
             {}},
        allocator_(pg::allocator_in(context)), done_(done) {}

  bool run() {
    for (const SurveyedList &list : run_.survey->lists)
      if (list.holds_rows()) add({list, 0, false});
    wanted_lists_ = lists_for(run_.index.meta, rows_of_index());
    target_ = std::max(1.0, rows_of_index() / wanted_lists_);
    organise_lists();
    // Residuals are those of lists as they are to be; codes of all follow.
    if (codebooks_are_due(run_.index, run_.survey->rows)) {
      train_codebooks_of(&run_, live_lists(), run_.survey->rows);
      for (Work &work : works_) work.list.untrained = true;
      organise_lists();
    }
    if (probes_are_due(run_.index, run_.survey->rows))
      measure_probes(&run_, live_lists(), run_.survey->rows, mean_error());
    return stamped_;
  }

 private:
  struct Work {
    SurveyedList list;
    uint32_t generation;
    bool retired;
  };

  // Lists that are made on the way are looked at in their turn.
  void organise_lists() {
    // Splits tell how many lists there are too many.
    for (const bool merging : {false, true}) {
      merging_ = merging;
      for (turn_ = 0; turn_ < works_.size; ++turn_) {
        pg::vacuum_delay();
        if (!works_[turn_].retired) organise_list(turn_);
      }
    }
  }

  Array<uint32_t> live_lists() const {
    Array<uint32_t> lists;
    for (const Work &work : works_)
      if (!work.retired) lists.push(allocator_, work.list.list);
    return lists;
  }

  double mean_error() const {
    double sum = 0;
    for (const Work &work : works_)
      if (!work.retired) sum += work.list.squared_error;
    return sum / std::max(1.0, rows_of_index());
  }

  double rows_of_index() const { return static_cast<double>(run_.survey->rows); }

  void add(const Work &work) {
    places_.put(allocator_, work.list.list, static_cast<uint32_t>(works_.size));
    works_.push(allocator_, work);
    ++live_;
  }

  Need need_of(const Work &work) const {
    const SurveyedList &list = work.list;
    const double rows = static_cast<double>(list.rows);
    const bool divisible = (list.record.flags & kIndivisible) == 0 || has_changed(list);
    if (rows > kSplitAbove * target_ && list.rows > kLeastSplit && divisible &&
        work.generation < kMostGenerations)
      return Need::kSplit;
    const double least = live_ > wanted_lists_ ? kMergeSurplusBelow : kMergeBelow;
    if (rows < least * target_ && live_ > 1) return merging_ ? Need::kMerge : Need::kNothing;
    return is_worn(list) && list.rows > 0 ? Need::kRefresh : Need::kNothing;
  }

  static bool has_changed(const SurveyedList &list) {
    const double rows = static_cast<double>(list.rows);
    const double written = list.record.written_rows;
    return written == 0 || rows > kChanged * written || kChanged * rows < written;
  }

  // Codes of older codebooks, mostly empty pages, or a centroid that rows have moved away from.
  bool is_worn(const SurveyedList &list) const {
    const uint64_t page_rows = run_.index.layout().page_rows();
    const ListRecord &record = list.record;
    if (list.untrained) return true;
    if (list.pages > 1 && (list.pages - 1) * page_rows > 2 * list.rows && has_changed(list))
      return true;
    if (list.rows < kLeastDrift || record.written_error <= 0) return false;
    return list.squared_error > kDrift * record.written_error * static_cast<double>(list.rows);
  }

  void organise_list(uint32_t place) {
    // A copy: works_ grows.
    const Work work = works_[place];
    switch (need_of(work)) {
      case Need::kNothing:
        break;
      case Need::kSplit:
        split(work);
        break;
      case Need::kMerge:
        if (replace(work, rewrite_list(&run_, work.list, 0, 0, kMergeNeighbors, true)))
          ++done_->merges;
        break;
      case Need::kRefresh:
        if (replace(work, rewrite_list(&run_, work.list, 1, 1, 0, true))) ++done_->refreshed;
        break;
    }
  }

  void split(const Work &work) {
    const double share = std::round(static_cast<double>(work.list.rows) / target_);
    const uint32_t wanted =
        static_cast<uint32_t>(std::clamp(share, 2.0, static_cast<double>(kMostNewLists)));
    const uint32_t neighbors = wanted <= kMostReassigned ? kSplitNeighbors : 0;
    const Rewritten rewritten =
        rewrite_list(&run_, work.list, wanted, 2, neighbors, work.list.untrained);
    if (!replace(work, rewritten)) return;
    ++done_->splits;
    if (rewritten.made > kMostReassigned) return;
    uint64_t moved[kSplitNeighbors] = {};
    done_->moved_rows += reassign(&run_, rewritten, moved);
    for (uint32_t i = 0; i < rewritten.made; ++i) {
      SurveyedList &made = works_[places_.at(rewritten.targets[i].list)].list;
      made.rows = rewritten.targets[i].rows;
      made.squared_error = rewritten.targets[i].squared_error;
    }
    for (uint32_t i = rewritten.made; i < rewritten.count; ++i)
      take_rows(rewritten.targets[i].list, moved[i - rewritten.made]);
  }

  // Notes what became of a list; false when it stayed.
  bool replace(const Work &work, const Rewritten &rewritten) {
    if (rewritten.count == 0) return false;
    stamped_ = true;
    works_[places_.at(work.list.list)].retired = true;
    --live_;
    for (uint32_t i = 0; i < rewritten.count; ++i) {
      const Target &target = rewritten.targets[i];
      if (i < rewritten.made) {
        add_made(work, target);
      } else {
        add_rows(target);
        done_->moved_rows += target.rows;
      }
    }
    return true;
  }

  void add_made(const Work &work, const Target &target) {
    SurveyedList made{};
    made.list = target.list;
    made.record = read_list(run_.index, target.list, nullptr);
    made.rows = target.rows;
    made.squared_error = target.squared_error;
    add({made, work.generation + 1, false});
  }

  void add_rows(const Target &target) {
    const uint32_t place = places_.at(target.list);
    if (place == ListMap::kNone) return;
    SurveyedList &list = works_[place].list;
    list.rows += target.rows;
    list.squared_error += target.squared_error;
    take_again(place);
  }

  // Of what rows that went had of the error nothing is known.
  void take_rows(uint32_t number, uint64_t rows) {
    const uint32_t place = places_.at(number);
    if (place == ListMap::kNone) return;
    SurveyedList &list = works_[place].list;
    const uint64_t left = list.rows - std::min(list.rows, rows);
    list.squared_error *=
        static_cast<double>(left) / static_cast<double>(std::max<uint64_t>(list.rows, 1));
    list.rows = left;
    take_again(place);
  }

  // A list that has had its turn, but has become due since by rows of others.
  void take_again(uint32_t place) {
    const Work work = works_[place];
    if (place >= turn_ || work.retired || need_of(work) == Need::kNothing) return;
    works_[place].retired = true;
    --live_;
    add(work);
  }

  Run run_;
  Allocator allocator_;
  Maintained *done_;
  Array<Work> works_;
  ListMap places_;
  uint32_t wanted_lists_ = 1;
  double target_ = 1;  // rows of a list
  uint32_t turn_ = 0;
  uint32_t live_ = 0;
  bool merging_ = false;
  bool stamped_ = false;
};

}  // namespace

bool organise(const Index &index, BufferAccessStrategy strategy, Survey *survey,
              MemoryContext context, Maintained *done) {
  settle(index, strategy, context, survey);
  return Organiser(index, strategy, survey, context, done).run();
}

}  // namespace vann::ivfpq

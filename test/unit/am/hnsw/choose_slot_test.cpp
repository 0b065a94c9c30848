// choose_slot_test.cpp — the page-local rule against the same rule on exact distances.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include "elements.hpp"
#include "layouts.hpp"
#include "unit/core/quantize/samples.hpp"

namespace vann::hnsw {
namespace {

using quantize::Sampler;
using test::Element;
using test::Query;
using test::RecordBuffer;

// A record, its neighbors, and the rule asked as an insert asks it.
class Neighborhood {
 public:
  Neighborhood(const Layout &layout, const std::vector<float> &centre)
      : layout_(layout), parent_(layout, centre), buffer_(layout, parent_),
        parent_query_(layout.shape, parent_.decoded) {}

  void add(const std::vector<float> &x) {
    const uint32_t slot = buffer_.record().header().neighbor_count++;
    neighbors_.emplace_back(layout_, x);
    std::vector<uint8_t> code(edge_code_bytes(layout_));
    put_edge(buffer_.record(), slot,
             encode_edge(layout_, parent_.decoded.data(), neighbors_.back().decoded.data(), slot, 0,
                         code.data()));
  }

  int choose(const Element &x, bool force) const {
    const Query newcomer(layout_.shape, x.decoded);
    const bool inner_product = layout_.shape.geometry == quantize::Geometry::kInnerProduct;
    return choose_slot(buffer_.read(), newcomer.get(),
                       inner_product ? &parent_query_.get() : nullptr,
                       static_cast<float>(length_of(x)), all_neighbors(), force);
  }

  // As if the newcomer led to every neighbor itself: any of them may be evicted.
  Targets all_neighbors() const {
    return {buffer_.read().ids(), static_cast<uint32_t>(neighbors_.size())};
  }

  // The rule of edges.hpp, in its words.
  int oracle(const Element &x, bool force) const {
    if (neighbors_.size() < layout_.degree) return static_cast<int>(neighbors_.size());
    const double length = length_of(x);
    int hidden = kNoSlot;
    int farthest = kNoSlot;
    const auto farther = [&](size_t i, int than) {
      return than == kNoSlot || length_of(neighbors_[i]) > length_of(neighbors_[than]);
    };
    for (size_t i = 0; i < neighbors_.size(); ++i) {
      const Element &neighbor = neighbors_[i];
      const double between = quantize::squared_distance(neighbor.decoded, x.decoded);
      const bool nearer = length_of(neighbor) < length;
      if (!force && nearer && kOcclusion * between <= length) return kNoSlot;
      if (!nearer && kOcclusion * between <= length_of(neighbor) && farther(i, hidden)) {
        hidden = static_cast<int>(i);
      }
      if ((force || length_of(neighbor) > length) && farther(i, farthest)) {
        farthest = static_cast<int>(i);
      }
    }
    return hidden != kNoSlot ? hidden : farthest;
  }

  double length_of(const Element &x) const {
    return quantize::squared_distance(parent_.decoded, x.decoded);
  }

 private:
  Layout layout_;
  Element parent_;
  RecordBuffer buffer_;
  Query parent_query_;
  std::vector<Element> neighbors_;
};

std::vector<float> between(const std::vector<float> &a, const std::vector<float> &b, float share) {
  std::vector<float> out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = a[i] + share * (b[i] - a[i]);
  return out;
}

// Independent directions at lengths 0.5 .. 1: no neighbor hides another.
std::vector<std::vector<float>> spread(Sampler *sampler, const std::vector<float> &centre,
                                       uint32_t count) {
  std::vector<std::vector<float>> out;
  for (uint32_t i = 0; i < count; ++i) {
    const float length = 0.5f + 0.5f * static_cast<float>(i) / static_cast<float>(count);
    out.push_back(sampler->near(centre, length));
  }
  return out;
}

class ChooseSlot : public testing::TestWithParam<test::LayoutCase> {
 protected:
  Layout layout() const { return GetParam().layout(); }
};

TEST_P(ChooseSlot, TakesAFreeSlotAsItIs) {
  const Layout layout = this->layout();
  Sampler sampler(1);
  const std::vector<float> centre = sampler.vector(layout.shape.dims);
  Neighborhood hood(layout, centre);
  for (uint32_t count = 0; count < layout.degree; ++count) {
    const std::vector<float> x = sampler.near(centre, 0.7f);
    EXPECT_EQ(hood.choose(Element(layout, x), false), static_cast<int>(count));
    hood.add(x);
    // A twin of a neighbor, hidden by it.
    if (count + 1 == layout.degree) break;
    EXPECT_EQ(hood.choose(Element(layout, x), true), static_cast<int>(count + 1));
    EXPECT_EQ(hood.choose(Element(layout, between(centre, x, 1.02f)), false),
              static_cast<int>(count + 1));
  }
}

TEST_P(ChooseSlot, ClearCasesAreDecidedAsByTheRule) {
  const Layout layout = this->layout();
  Sampler sampler(2);
  for (uint32_t round = 0; round < 8; ++round) {
    const std::vector<float> centre = sampler.vector(layout.shape.dims);
    const std::vector<std::vector<float>> others = spread(&sampler, centre, layout.degree);
    Neighborhood hood(layout, centre);
    for (const std::vector<float> &other : others) hood.add(other);
    for (uint32_t i = 0; i < layout.degree; i += 5) {
      // Behind a neighbor: refused, unless forced.
      const Element behind(layout, between(centre, others[i], 1.15f));
      ASSERT_EQ(hood.choose(behind, false), kNoSlot) << i;
      const int forced = hood.choose(behind, true);
      ASSERT_GE(forced, 0);
      ASSERT_LT(forced, static_cast<int>(layout.degree));
    }
    // Far nearer than all others, and before one: takes its place or that of one farther.
    for (uint32_t i = 0; i < layout.degree; i += 7) {
      const Element before(layout, between(centre, others[i], 0.35f));
      const int expected = hood.oracle(before, false);
      ASSERT_GE(expected, 0);
      const int slot = hood.choose(before, false);
      ASSERT_GE(slot, 0) << "nobody is nearer";
      ASSERT_EQ(hood.choose(before, true), slot);
    }
  }
}

// Newcomers of all kinds: in no neighbor's direction, or about a neighbor and as far from it as
// makes hiding doubtful; nearer and farther.
std::vector<float> newcomer(Sampler *sampler, std::mt19937 *generator,
                            const std::vector<float> &centre,
                            const std::vector<std::vector<float>> &others) {
  const float length = 0.3f + 0.9f * static_cast<float>((*generator)() % 100) / 100;
  if ((*generator)() % 4 == 0) return sampler->near(centre, length);
  const std::vector<float> &other = others[(*generator)() % others.size()];
  return sampler->near(between(centre, other, 0.5f + length / 2),
                       (0.5f + 0.02f * static_cast<float>((*generator)() % 100)) * length);
}

struct Agreement {
  double verdicts;  // rate of equal verdicts: a slot, or none
  double slots;     // rate of equal slots among accepted newcomers
  double forced;    // the same when forced
};

Agreement measure(const Layout &layout) {
  Sampler sampler(layout.shape.dims);
  std::mt19937 generator(layout.shape.dims);
  int asked = 0, same_verdict = 0, accepted = 0, same_slot = 0, same_forced = 0;
  for (uint32_t round = 0; round < 12; ++round) {
    const std::vector<float> centre = sampler.vector(layout.shape.dims);
    const std::vector<std::vector<float>> others = spread(&sampler, centre, layout.degree);
    Neighborhood hood(layout, centre);
    for (const std::vector<float> &other : others) hood.add(other);
    for (int i = 0; i < 40; ++i) {
      const Element x(layout, newcomer(&sampler, &generator, centre, others));
      const int slot = hood.choose(x, false);
      const int expected = hood.oracle(x, false);
      ++asked;
      same_verdict += (slot >= 0) == (expected >= 0);
      accepted += slot >= 0 && expected >= 0;
      same_slot += slot >= 0 && slot == expected;
      same_forced += hood.choose(x, true) == hood.oracle(x, true);
    }
  }
  EXPECT_GT(accepted, asked / 5);
  EXPECT_LT(accepted, asked * 4 / 5);
  return {static_cast<double>(same_verdict) / asked, static_cast<double>(same_slot) / accepted,
          static_cast<double>(same_forced) / asked};
}

TEST_P(ChooseSlot, AgreesWithExactDistances) {
  const Agreement agreement = measure(layout());
  EXPECT_GE(agreement.verdicts, 0.95);
  // Lengths are rounded to bfloat16: among many neighbors the farthest may be a tie.
  EXPECT_GE(agreement.slots, 0.9);
  EXPECT_GE(agreement.forced, 0.88);
}

TEST_P(ChooseSlot, TwinsOfTheParentKeepTheirSlots) {
  const Layout layout = this->layout();
  const std::vector<float> centre = Sampler(3).vector(layout.shape.dims);
  Neighborhood hood(layout, centre);
  for (uint32_t i = 0; i < layout.degree; ++i) hood.add(centre);
  const Element twin(layout, centre);
  EXPECT_EQ(hood.choose(twin, false), kNoSlot);
  EXPECT_GE(hood.choose(twin, true), 0);
}

std::string name_of(const testing::TestParamInfo<test::LayoutCase> &info) {
  const char *const metrics[] = {"L2", "InnerProduct", "Cosine"};
  return metrics[static_cast<int>(info.param.metric)] + std::to_string(info.param.dims) + "Degree" +
         std::to_string(info.param.degree);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ChooseSlot, testing::ValuesIn(test::layout_cases()), name_of);

}  // namespace
}  // namespace vann::hnsw

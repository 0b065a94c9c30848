// edges_test.cpp — edges come back as they were put, and tell distances within the error model.
#include "am/hnsw/edges.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "core/base/bfloat16.hpp"
#include "elements.hpp"
#include "layouts.hpp"
#include "unit/core/quantize/samples.hpp"

namespace vann::hnsw {
namespace {

using quantize::Moments;
using quantize::Sampler;
using test::Element;
using test::Query;
using test::RecordBuffer;

// What a slot should hold.
struct Expected {
  uint32_t record;
  uint8_t generation;
  quantize::NeighborFactors factors;
  std::vector<uint8_t> code;

  Edge edge() const { return {record, generation, factors, code.data()}; }
};

Expected random_edge(const Layout &layout, uint32_t record, std::mt19937 *generator) {
  Expected out{record, static_cast<uint8_t>((*generator)()), {}, {}};
  out.code.resize(edge_code_bytes(layout));
  for (uint8_t &byte : out.code) byte = static_cast<uint8_t>((*generator)());
  for (float *factor : {&out.factors.scale, &out.factors.offset, &out.factors.residual_squared}) {
    *factor = from_bfloat16(static_cast<bfloat16>((*generator)() % 0x7f00));
  }
  return out;
}

void expect_slots(ConstRecord record, const std::vector<Expected> &expected) {
  const Layout &layout = record.layout();
  ASSERT_EQ(record.header().neighbor_count, expected.size());
  std::vector<uint8_t> code(edge_code_bytes(layout));
  for (uint32_t slot = 0; slot < expected.size(); ++slot) {
    const Expected &edge = expected[slot];
    ASSERT_EQ(record.ids()[slot], edge.record);
    ASSERT_EQ(record.generations()[slot], edge.generation);
    ASSERT_EQ(from_bfloat16(record.scales()[slot]), edge.factors.scale);
    ASSERT_EQ(from_bfloat16(record.offsets()[slot]), edge.factors.offset);
    ASSERT_EQ(edge_length(record, slot), edge.factors.residual_squared);
    quantize::load_tile(record.tiles(slot / 32), slot % 32, code.data(), layout.shape.neighbor_dims,
                        layout.shape.neighbor_bits);
    ASSERT_EQ(code, edge.code);
    ASSERT_EQ(find_edge(record, edge.record), static_cast<int>(slot));
  }
}

TEST(Edges, ComeBackAsTheyWerePut) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const Element element(layout, Sampler(1).vector(layout.shape.dims));
    RecordBuffer buffer(layout, element);
    const Record record = buffer.record();
    std::vector<Expected> expected;
    std::mt19937 generator(shape.dims);
    for (uint32_t step = 0; step < 600; ++step) {
      const uint32_t count = static_cast<uint32_t>(expected.size());
      // Fills the list first, later mostly changes it.
      const bool append = count < layout.degree && (step < layout.degree || generator() % 2 == 0);
      const uint32_t slot = count == 0 ? 0 : static_cast<uint32_t>(generator() % count);
      if (append) {
        expected.push_back(random_edge(layout, 1000 + step, &generator));
        put_edge(record, count, expected.back().edge());
        record.header().neighbor_count = static_cast<uint16_t>(count + 1);
      } else if (generator() % 3 == 0) {
        expected[slot] = random_edge(layout, 1000 + step, &generator);
        put_edge(record, slot, expected[slot].edge());
      } else {
        const uint32_t gone = expected[slot].record;
        expected[slot] = expected.back();
        expected.pop_back();
        remove_edge(record, slot);
        ASSERT_EQ(find_edge(buffer.read(), gone), kNoSlot);
      }
      ASSERT_NO_FATAL_FAILURE(expect_slots(buffer.read(), expected)) << "step " << step;
    }
    EXPECT_EQ(std::memcmp(record.code(), element.code.data(), element.code.size()), 0);
    EXPECT_EQ(std::memcmp(&record.header().factors, &element.factors, sizeof element.factors), 0);
    EXPECT_TRUE(buffer.slack_intact());
  }
}

TEST(Edges, OfRemovedSlotsAreNotFound) {
  const Layout layout = choose_layout(100, Metric::kL2, 32);
  RecordBuffer buffer(layout);
  std::mt19937 generator(2);
  for (uint32_t i = 0; i < 32; ++i) {
    put_edge(buffer.record(), i, random_edge(layout, i, &generator).edge());
  }
  buffer.record().header().neighbor_count = 32;
  for (uint32_t left = 32; left > 0; --left) {
    ASSERT_EQ(find_edge(buffer.read(), 32), kNoSlot);
    remove_edge(buffer.record(), static_cast<uint32_t>(generator() % left));
  }
  for (uint32_t i = 0; i < 32; ++i) EXPECT_EQ(find_edge(buffer.read(), i), kNoSlot);
}

TEST(Edges, DecodeRecordIsTheElementsDecodedCode) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const Element element(layout, Sampler(shape.dims).vector(layout.shape.dims));
    const RecordBuffer buffer(layout, element);
    std::vector<float> decoded(layout.shape.dims);
    decode_record(buffer.read(), decoded.data());
    EXPECT_EQ(decoded, element.decoded);
  }
}

TEST(Edges, LengthIsTheDistanceOfDecodedCodes) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const uint32_t dims = layout.shape.dims;
    Sampler sampler(dims);
    const Element parent(layout, sampler.vector(dims));
    RecordBuffer buffer(layout, parent);
    std::vector<uint8_t> code(edge_code_bytes(layout));
    for (uint32_t slot = 0; slot < layout.degree; ++slot) {
      const float step = 0.05f * static_cast<float>(slot);
      const Element neighbor(layout, sampler.near(parent.decoded, step));
      put_edge(buffer.record(), slot,
               encode_edge(layout, parent.decoded.data(), neighbor.decoded.data(), slot, 0,
                           code.data()));
      const double length = quantize::squared_distance(parent.decoded, neighbor.decoded);
      ASSERT_NEAR(edge_length(buffer.read(), slot), length, 0.0041 * length);
    }
  }
}

// Standard deviation of a neighbor's estimate (core/quantize/README.md, "Error model").
double stated_deviation(const quantize::CodeShape &shape, const std::vector<float> &r,
                        const std::vector<float> &y) {
  const double share = static_cast<double>(shape.neighbor_dims) / shape.dims;
  const double full = shape.neighbor_bits == 1 ? 0.755 : 0.366;
  const double kappa = std::sqrt(full * full + 1 - share);
  const double rr = quantize::dot(r, r);
  const double yy = quantize::dot(y, y);
  const double ry = quantize::dot(r, y);
  const double factor = shape.geometry == quantize::Geometry::kL2 ? 2 : 1;
  return factor * kappa * std::sqrt((rr * yy - ry * ry) / shape.neighbor_dims);
}

std::vector<float> difference(const std::vector<float> &a, const std::vector<float> &b) {
  std::vector<float> out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

// Errors of the estimates of all neighbors of one random record, in stated deviations.
void add_errors(const Layout &layout, uint64_t seed, Moments *errors) {
  const quantize::CodeShape &shape = layout.shape;
  const bool l2 = shape.geometry == quantize::Geometry::kL2;
  Sampler sampler(seed);
  const Element parent(layout, sampler.vector(shape.dims));
  const std::vector<float> q = sampler.near(parent.decoded, 0.8f);
  const Query query(shape, q);
  RecordBuffer buffer(layout, parent);
  std::vector<uint8_t> code(edge_code_bytes(layout));
  std::vector<Element> neighbors;
  for (uint32_t slot = 0; slot < layout.degree; ++slot) {
    neighbors.emplace_back(layout, sampler.near(parent.decoded, 0.9f));
    put_edge(buffer.record(), slot,
             encode_edge(layout, parent.decoded.data(), neighbors.back().decoded.data(), slot, 0,
                         code.data()));
  }
  const double anchor =
      l2 ? quantize::squared_distance(parent.decoded, q) : -quantize::dot(parent.decoded, q);
  std::vector<float> estimates(layout.degree);
  for (uint32_t first = 0; first < layout.degree; first += 32) {
    quantize::estimate_neighbors(query.get(), static_cast<float>(anchor),
                                 buffer.read().tiles(first / 32), buffer.read().scales() + first,
                                 buffer.read().offsets() + first, estimates.data() + first);
  }
  for (uint32_t slot = 0; slot < layout.degree; ++slot) {
    const std::vector<float> &o = neighbors[slot].decoded;
    const double truth = l2 ? quantize::squared_distance(o, q) : -quantize::dot(o, q);
    errors->add((estimates[slot] - truth) / stated_deviation(shape, difference(o, parent.decoded),
                                                             difference(q, parent.decoded)));
  }
}

TEST(Edges, EstimateDistancesWithinTheErrorModel) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    Moments errors;
    for (uint64_t seed = 0; seed < 24; ++seed) add_errors(shape.layout(), seed, &errors);
    EXPECT_NEAR(errors.mean(), 0.0, 0.2) << shape.dims;
    EXPECT_NEAR(errors.deviation(), 1.0, 0.2) << shape.dims;
  }
}

// Everything a search or an insert reads of a record it may pass through.
void read_everything(ConstRecord record, const Query &query) {
  const Layout &layout = record.layout();
  std::vector<float> decoded(layout.shape.dims);
  decode_record(record, decoded.data());
  quantize::estimate_own(query.get(), record.code(), record.header().factors);
  float estimates[32];
  for (uint32_t first = 0; first < record.header().neighbor_count; first += 32) {
    quantize::estimate_neighbors(query.get(), 0.0f, record.tiles(first / 32),
                                 record.scales() + first, record.offsets() + first, estimates);
  }
  uint64_t sum = 0;
  for (uint32_t i = 0; i < record.header().neighbor_count; ++i) {
    sum += record.ids()[i] + record.generations()[i];
  }
  EXPECT_LE(sum, uint64_t{224} * 0x100000100u);
}

TEST(Edges, OfDamagedRecordsAreReadInsideTheRecord) {
  for (const test::LayoutCase &shape : test::layout_cases()) {
    const Layout layout = shape.layout();
    const Query query(layout.shape, Sampler(1).vector(layout.shape.dims));
    RecordBuffer buffer(layout);
    std::mt19937 generator(shape.dims);
    uint32_t traversable = 0;
    for (int round = 0; round < 300; ++round) {
      for (uint32_t i = 0; i < layout.stride; ++i) {
        buffer.bytes()[i] = static_cast<uint8_t>(generator());
      }
      buffer.record().header().state = static_cast<uint8_t>(generator() % 6);
      if (round % 2 == 0) {
        buffer.record().header().neighbor_count =
            static_cast<uint16_t>(generator() % (layout.degree + 2));
      }
      // These two stay inside whatever the count says.
      const int found = find_edge(buffer.read(), generator());
      EXPECT_LT(found, static_cast<int>(layout.degree));
      const int slot = choose_slot(buffer.read(), query.get(), &query.get(), 1.0f,
                                   {buffer.read().ids(), layout.degree}, round % 4 < 2);
      EXPECT_LT(slot, static_cast<int>(layout.degree));
      if (!buffer.read().traversable()) continue;
      ++traversable;
      read_everything(buffer.read(), query);
    }
    EXPECT_GT(traversable, 30u);
    EXPECT_TRUE(buffer.slack_intact());
  }
}

}  // namespace
}  // namespace vann::hnsw

// Engines by name: what a name stands for, what its index is created with, and what is swept.
#include "bench/engine/spec.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace vann::bench {
namespace {

Options options() {
  Options o;
  o.ef_search = {10, 40};
  o.probes = {1, 2, 4, 8, 16};
  o.m = 12;
  o.ef_construction = 50;
  return o;
}

std::vector<std::string> names(const std::vector<EngineSpec> &specs) {
  std::vector<std::string> all;
  for (const EngineSpec &spec : specs) all.push_back(spec.name);
  return all;
}

TEST(EngineSpec, HasAKindAndOptions) {
  const EngineSpec spec = parse_engine("ivfpq:codec=pq:refine_bits=6");
  EXPECT_STREQ(spec.kind.access_method, "ivfpq");
  EXPECT_EQ(spec.option("codec", ""), "pq");
  EXPECT_EQ(spec.option("refine_bits", ""), "6");
  EXPECT_EQ(spec.option("lists", "7"), "7");
  EXPECT_EQ(shown_name(spec.name), "ivfpq pq refine_bits=6");
  EXPECT_EQ(shown_name("vector"), "pgvector");
}

TEST(EngineSpec, RefusesWhatItDoesNotKnow) {
  for (const char *name : {"ivf", "", "ivfpq:codec", "ivfpq:=pq", "ivfpq:codec=", "faiss:lists=3",
                           "faiss_ivfflat:k_factor=3", "hnswlib:m=3"}) {
    EXPECT_THROW(parse_engine(name), std::invalid_argument) << name;
  }
  EXPECT_THROW(parse_engines({"lists", "ivfpq"}), std::invalid_argument);
}

TEST(EngineSpec, NamesFamilies) {
  EXPECT_EQ(names(parse_engines({"lists", "ivfpq:codec=pq"})),
            (std::vector<std::string>{"ivfpq", "ivfflat", "faiss_ivfflat", "faiss_ivfpqfs",
                                      "ivfpq:codec=pq"}));
  EXPECT_EQ(parse_engines({}).size(), all_kinds().size());
  EXPECT_EQ(names(parse_engines({"graphs"})).front(), "vector_ann");
}

TEST(Lists, FollowTheAdviceOrTheOptions) {
  const EngineSpec ivfflat = parse_engine("ivfflat"), ivfpq = parse_engine("ivfpq");
  EXPECT_EQ(lists_of(ivfflat, options(), 20'000), 20u);
  EXPECT_EQ(lists_of(ivfflat, options(), 1'000'000), 1000u);
  EXPECT_EQ(lists_of(ivfflat, options(), 4'000'000), 2000u);
  EXPECT_EQ(lists_of(ivfflat, options(), 0), 1u);
  EXPECT_EQ(lists_of(ivfpq, options(), 10'000), 100u);
  EXPECT_EQ(lists_of(ivfpq, options(), 1'000'000), 1953u);
  EXPECT_EQ(lists_of(parse_engine("faiss_ivfpqfs"), options(), 10'000), 100u);
  Options fixed = options();
  fixed.lists = 33;
  EXPECT_EQ(lists_of(ivfpq, fixed, 10'000), 33u);
  EXPECT_EQ(lists_of(parse_engine("ivfpq:lists=5"), fixed, 10'000), 5u);
}

TEST(StorageParameters, AreTheUsualOnesUnlessTheNameSaysMore) {
  EXPECT_EQ(storage_parameters(parse_engine("vector"), options(), 9),
            "m = 12, ef_construction = 50");
  EXPECT_EQ(storage_parameters(parse_engine("vector:m=8"), options(), 9),
            "m = 8, ef_construction = 50");
  EXPECT_EQ(storage_parameters(parse_engine("ivfflat"), options(), 20'000), "lists = 20");
  EXPECT_EQ(storage_parameters(parse_engine("ivfpq"), options(), 20'000), "");
  EXPECT_EQ(storage_parameters(parse_engine("ivfpq:codec=pq"), options(), 20'000), "codec = pq");
  Options fixed = options();
  fixed.lists = 33;
  EXPECT_EQ(storage_parameters(parse_engine("ivfpq:codec=pq"), fixed, 20'000),
            "codec = pq, lists = 33");
  EXPECT_EQ(storage_parameters(parse_engine("ivfflat:lists=4"), fixed, 20'000), "lists = 4");
}

TEST(Knob, SweepsNoMoreListsThanThereAre) {
  const Knob graph = knob_of(parse_engine("faiss"), options(), 5000);
  EXPECT_EQ(graph.name, "ef_search");
  EXPECT_EQ(graph.efforts, (std::vector<int>{10, 40}));
  EXPECT_TRUE(graph.counts_rows);
  const Knob few = knob_of(parse_engine("ivfflat"), options(), 5000);
  EXPECT_EQ(few.name, "probes");
  EXPECT_EQ(few.efforts, (std::vector<int>{1, 2, 4, 5}));
  EXPECT_EQ(few.usual, (std::vector<int>{2, 5}));
  EXPECT_FALSE(few.counts_rows);
  EXPECT_EQ(knob_of(parse_engine("ivfflat"), options(), 4000).efforts, (std::vector<int>{1, 2, 4}));
  EXPECT_EQ(knob_of(parse_engine("ivfpq"), options(), 10'000).efforts,
            (std::vector<int>{1, 2, 4, 8, 16}));
}

}  // namespace
}  // namespace vann::bench

// Reports of results made up here: nothing is lost in the JSON, ratios point the right way.
#include "bench/report/report.hpp"

#include <gtest/gtest.h>

#include "bench/report/table.hpp"

namespace vann::bench {
namespace {

Facts facts() {
  return {"2026-01-02",
          "abc1234",
          "quick",
          "a \"processor\"",
          "15.1",
          {},
          {{"vector_ann", "1.0", Family::kGraphs}, {"vector", "0.8", Family::kGraphs}},
          {{"words", "cosine", 1000, 100, 8, 50}}};
}

Results results() {
  Results r;
  const auto search = [&r](const char *engine, const char *ef, double recall, double qps) {
    r.points.push_back({"words",
                        "search",
                        engine,
                        {{"k", "10"}, {"ef_search", ef}},
                        {{"recall", {recall}}, {"qps", {qps}}}});
  };
  search("vector_ann", "10", 0.90, 1000);
  search("vector_ann", "40", 1.00, 100);
  search("vector", "10", 0.97, 40);
  r.points.push_back({"words", "build", "vector_ann", {}, {{"build_s", {3, 1, 2}}}});
  r.points.push_back({"words", "build", "vector", {}, {{"build_s", {8}}}});
  r.notes.push_back({"words", "build", "a note"});
  return r;
}

TEST(SpeedAtRecall, InterpolatesBetweenNeighbors) {
  EXPECT_NEAR(*speed_of(results(), "words", "vector_ann", "10", 0.95), 316.2, 0.1);
  EXPECT_DOUBLE_EQ(*speed_of(results(), "words", "vector", "10", 0.95), 40);
  EXPECT_FALSE(speed_of(results(), "words", "vector", "10", 0.99));
  EXPECT_FALSE(speed_of(results(), "words", "hnswlib", "10", 0.9));
}

TEST(SpeedAtRecall, TakesTheFastestThatReachesIt) {
  EXPECT_DOUBLE_EQ(*speed_at_recall({{0.96, 50}, {0.98, 80}, {0.99, 20}}, 0.95), 80);
  EXPECT_DOUBLE_EQ(*speed_at_recall({{0.90, 100}, {0.98, 100}, {0.97, 200}}, 0.95), 200);
}

TEST(EffortsReaching, AreTheLeastForEachTarget) {
  const auto recall = [](int effort) { return 1 - 0.32 / effort; };  // .68 .84 .92 .96 .98
  EXPECT_EQ(efforts_reaching({1, 2, 4, 8, 16}, {0.9, 0.95}, recall), (std::vector<int>{4, 8}));
  EXPECT_EQ(efforts_reaching({1, 2, 4, 8, 16}, {0.85, 0.9}, recall), (std::vector<int>{4}));
  EXPECT_EQ(efforts_reaching({1, 2, 4}, {0.95, 0.99}, recall), (std::vector<int>{4}));
  EXPECT_EQ(efforts_reaching({1, 2, 4, 8, 16}, {0.6, 0.999}, recall), (std::vector<int>{1, 16}));
}

TEST(Median, TakesTheMiddle) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({4, 1}), 2.5);
  EXPECT_DOUBLE_EQ(percentile({5, 1, 4, 2, 3}, 0.5), 3);
  EXPECT_DOUBLE_EQ(percentile({5, 1, 4, 2, 3}, 0.99), 5);
}

TEST(Json, HoldsEveryReading) {
  const std::string text = json(facts(), results());
  EXPECT_NE(text.find(R"("build_s": {"median": 2, "readings": [3, 1, 2]})"), std::string::npos);
  EXPECT_NE(text.find(R"(a \"processor\")"), std::string::npos);
  EXPECT_NE(text.find("a note"), std::string::npos);
}

TEST(Markdown, ShowsRatiosAboveOneWhereTheFirstIsBetter) {
  const std::string text = summary_markdown(facts(), results());
  EXPECT_NE(text.find("2026-01-02, commit abc1234"), std::string::npos);
  const size_t build = text.find("build, s");
  ASSERT_NE(build, std::string::npos);
  EXPECT_NE(text.substr(build, text.find('\n', build) - build).find("4.0x"), std::string::npos);
  const size_t speed = text.find("recall@10 = .95");
  ASSERT_NE(speed, std::string::npos);
  EXPECT_NE(text.substr(speed, text.find('\n', speed) - speed).find("7.9x"), std::string::npos);
  const std::string full = markdown(facts(), results());
  for (const char *part : {"a note", "builds.svg", "words-recall-k10.svg", "### words: Build"}) {
    EXPECT_NE(full.find(part), std::string::npos) << part;
  }
}

TEST(Markdown, ShowsFamiliesApart) {
  Facts both = facts();
  both.engines.push_back({"ivfpq", "1.0", Family::kLists});
  both.engines.push_back({"ivfflat", "0.8", Family::kLists});
  Results all = results();
  const auto search = [&all](const char *engine, const char *probes, double recall, double qps) {
    all.points.push_back({"words",
                          "search",
                          engine,
                          {{"k", "10"}, {"probes", probes}},
                          {{"recall", {recall}}, {"qps", {qps}}}});
  };
  search("ivfpq", "3", 0.95, 600);
  search("ivfflat", "2", 0.95, 200);
  const std::string text = markdown(both, all);
  const size_t graphs = text.find("Graphs:"), lists = text.find("Inverted lists:");
  ASSERT_NE(graphs, std::string::npos);
  ASSERT_NE(lists, std::string::npos);
  const size_t speed = text.find("recall@10 = .95", lists);
  const std::string line = text.substr(speed, text.find('\n', speed) - speed);
  EXPECT_NE(line.find("3.0x"), std::string::npos);
  EXPECT_EQ(line.find("316"), std::string::npos);
  for (const char *part : {"probes", "words-recall-k10.svg", "words-lists-recall-k10.svg"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(markdown(facts(), results()).find("Graphs:"), std::string::npos);
  EXPECT_EQ(draw(both, all).size(), draw(facts(), results()).size() + 1);
}

TEST(Shown, HasThreeDigits) {
  EXPECT_EQ(shown(1234567), "1,234,567");
  EXPECT_EQ(shown(999.6), "1,000");
  EXPECT_EQ(shown(12.345), "12.3");
  EXPECT_EQ(shown(1.2345), "1.23");
  EXPECT_EQ(shown(0.0456), "0.046");
  EXPECT_EQ(shown(-2500), "-2,500");
  EXPECT_EQ(ratio(3, 2), "1.5x");
  EXPECT_EQ(ratio({}, 2), "");
}

}  // namespace
}  // namespace vann::bench

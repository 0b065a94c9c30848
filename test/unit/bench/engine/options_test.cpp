// Arguments of the program: what profiles set, and what is refused before anything is measured.
#include "bench/options.hpp"

#include <initializer_list>
#include <stdexcept>

#include <gtest/gtest.h>

#include "bench/engine/spec.hpp"

namespace vann::bench {
namespace {

Options parse(std::initializer_list<const char *> arguments) {
  std::vector<char *> argv = {const_cast<char *>("program")};
  for (const char *argument : arguments) argv.push_back(const_cast<char *>(argument));
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, SetWhatTheirNamesSay) {
  const Options options = parse({"--profile=full", "--engines=lists,ivfpq:codec=pq:refine_bits=4",
                                 "--probes=3,9", "--lists=50"});
  EXPECT_EQ(options.engines, (std::vector<std::string>{"lists", "ivfpq:codec=pq:refine_bits=4"}));
  EXPECT_EQ(options.probes, (std::vector<int>{3, 9}));
  EXPECT_EQ(options.lists, 50u);
  EXPECT_EQ(options.passes, parse({"--profile=full"}).passes);
}

TEST(Options, OfEveryProfileNameEnginesOfBothFamilies) {
  for (const char *profile : {"--profile=quick", "--profile=full", "--profile=smoke"}) {
    const std::vector<EngineSpec> engines = parse_engines(parse({profile}).engines);
    EXPECT_EQ(engines.front().name, "vector_ann") << profile;
    size_t lists = 0;
    for (const EngineSpec &engine : engines) lists += engine.kind.family == Family::kLists;
    EXPECT_GE(lists, 4u) << profile;
  }
}

TEST(Options, AreRefusedWhereTheyMakeNoSense) {
  for (const char *argument : {"--engines=ivf", "--engines=ivfpq,ivfpq", "--engines=faiss:x=1",
                               "--probes=", "--probes=0,1", "--probes=4,2", "--ef_search=40,40",
                               "--probes=x", "--lists=-1", "--nothing=1"}) {
    EXPECT_THROW(parse({argument}), std::invalid_argument) << argument;
  }
}

}  // namespace
}  // namespace vann::bench

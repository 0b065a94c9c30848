// memory_engine.hpp — hnswlib on the same data in this process: what a graph in plain memory does.
#pragma once

#include <optional>

#include "curve.hpp"
#include "dataset.hpp"
#include "ground_truth.hpp"
#include "options.hpp"

namespace vann::bench {

// Builds with workers + 1 threads, searches with one. Nothing where the program was compiled
// without hnswlib.
std::optional<EngineResult> measure_hnswlib(const Options &options, const Dataset &data,
                                            const GroundTruth &truth);

}  // namespace vann::bench

// sql_engine.hpp — measures one extension's hnsw index in a database of its own.
#pragma once

#include "curve.hpp"
#include "dataset.hpp"
#include "ground_truth.hpp"
#include "options.hpp"

namespace vann::bench {

// Creates the database bench_<extension> anew, loads all but the held-out rows, builds the index,
// searches, inserts the held-out rows one statement each, deletes a tenth and vacuums. The searches
// run inside one PL/pgSQL function with one cached plan, timed there, so that neither the client nor
// the planner is part of the figures. Throws std::runtime_error with the server's message.
EngineResult measure_extension(const std::string &extension, const Options &options,
                               const Dataset &data, const GroundTruth &truth);

}  // namespace vann::bench

// memory_engines.hpp — libraries that search in plain memory, in this process, on the same data:
// what a graph, or lists, do without a database. Builds use workers + 1 threads, searches one.
#pragma once

#include <memory>

#include "bench/engine/engine.hpp"
#include "bench/options.hpp"

namespace vann::bench {

// Null where the program was compiled without the library. The references are kept.
std::unique_ptr<Engine> make_hnswlib(const EngineSpec &spec, const Options &options,
                                     const Dataset &data);
std::unique_ptr<Engine> make_faiss(const EngineSpec &spec, const Options &options,
                                   const Dataset &data);
// Inverted lists: of vectors, and of 4-bit product codes whose best are measured exactly.
std::unique_ptr<Engine> make_faiss_ivfflat(const EngineSpec &spec, const Options &options,
                                           const Dataset &data);
std::unique_ptr<Engine> make_faiss_ivfpqfs(const EngineSpec &spec, const Options &options,
                                           const Dataset &data);

}  // namespace vann::bench

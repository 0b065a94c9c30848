// options.hpp — reloptions and settings (GUCs) of the hnsw access method.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace vann::hnsw {

inline constexpr int kDefaultM = 16;
inline constexpr int kMinM = 2;
inline constexpr int kMaxM = 100;
inline constexpr int kDefaultEfConstruction = 64;
inline constexpr int kMinEfConstruction = 4;
inline constexpr int kMaxEfConstruction = 1000;
inline constexpr int kDefaultEfSearch = 40;
inline constexpr int kMaxEfSearch = 1000;

enum IterativeScan : int { kScanOff = 0, kScanRelaxed = 1, kScanStrict = 2 };

// Settings of this backend.
extern int ef_search;
extern int iterative_scan;       // IterativeScan
extern int max_scan_tuples;
extern double scan_mem_multiplier;

// Registers reloptions and settings; called once from _PG_init.
void define_options();

int option_m(Relation index);
int option_ef_construction(Relation index);

// Neighbor slots per record for a value of m: 2 m rounded up to the kernels' block of 32.
constexpr uint32_t degree_for(int m) { return (2u * static_cast<uint32_t>(m) + 31) / 32 * 32; }

extern "C" bytea *hnsw_options(Datum reloptions, bool validate);

}  // namespace vann::hnsw

// options.hpp — reloptions and settings (GUCs) of the ivfpq access method and its synonym ivfflat.
#pragma once

#include "am/ivfpq/page.hpp"
#include "pg/postgres.hpp"

extern "C" {
#include "utils/rel.h"
}

namespace vann::ivfpq {

inline constexpr int kMaxLists = 1 << 20;
inline constexpr int kMaxSubvectors = 16000;

enum IterativeScan : int { kScanOff = 0, kScanRelaxed = 1, kScanStrict = 2 };

// Reloptions of an index, resolved: what is 0 is chosen from the dimensions and the rows.
struct IndexOptions {
  uint32_t lists;
  LayoutOptions layout;
  RotationKind rotation;
};

// Registers reloptions and settings; called once from _PG_init.
void define_options();

// ERROR, with a HINT, when options contradict each other or the dimensions.
IndexOptions index_options(Relation index, int dims);

// How many lists an index of so many rows should have: the option, or else by the rows.
uint32_t lists_for(const MetaPage &meta, double rows);

// Lists that a scan reads first: the setting, or else what was measured when the index was trained.
uint32_t probes_for(const MetaPage &meta);
// Lists that a scan may read at most.
uint32_t max_probes_setting();
IterativeScan iterative_scan_setting();

extern "C" bytea *ivfpq_options(Datum reloptions, bool validate);

}  // namespace vann::ivfpq

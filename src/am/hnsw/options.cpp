// options.cpp — reloptions and settings, under pgvector's names.
#include "am/hnsw/options.hpp"

#include "am/common/settings.hpp"

extern "C" {
#include "access/reloptions.h"
}

#include <climits>

namespace vann::hnsw {

int ef_search = kDefaultEfSearch;
int iterative_scan = kScanStrict;
int max_scan_tuples = INT_MAX;
double scan_mem_multiplier = 1;

namespace {

relopt_kind option_kind;

struct Options {
  int32 vl_len_;
  int m;
  int ef_construction;
};

const config_enum_entry kIterativeScanValues[] = {{"off", kScanOff, false},
                                                  {"relaxed_order", kScanRelaxed, false},
                                                  {"strict_order", kScanStrict, false},
                                                  {nullptr, 0, false}};

void define_settings() {
  if (!am::taken("hnsw.ef_search"))
    DefineCustomIntVariable("hnsw.ef_search",
                            "Sets how many nearest candidates a scan keeps in view.",
                            "Larger values find more of the true neighbors and take longer.",
                            &ef_search, kDefaultEfSearch, 1, kMaxEfSearch, PGC_USERSET, 0, nullptr,
                            nullptr, nullptr);
  if (!am::taken("hnsw.iterative_scan"))
    DefineCustomEnumVariable(
        "hnsw.iterative_scan",
        "Sets whether a scan goes on until the query has enough rows, and in which order.",
        "off stops after ef_search candidates.", &iterative_scan, kScanStrict, kIterativeScanValues,
        PGC_USERSET, 0, nullptr, nullptr, nullptr);
  if (!am::taken("hnsw.max_scan_tuples"))
    DefineCustomIntVariable("hnsw.max_scan_tuples",
                            "Sets after how many rows read an iterative scan stops looking further.",
                            "The default does not stop a scan early.", &max_scan_tuples, INT_MAX, 1,
                            INT_MAX, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  if (!am::taken("hnsw.scan_mem_multiplier"))
    DefineCustomRealVariable(
        "hnsw.scan_mem_multiplier",
        "Sets the memory of an iterative scan as a multiple of work_mem.",
        "Beyond it a scan reads the rest of the index in bounded passes, which is slower.",
        &scan_mem_multiplier, 1, 1, 1000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

}  // namespace

void define_options() {
  option_kind = add_reloption_kind();
  add_int_reloption(option_kind, "m", "Neighbors per element and level", kDefaultM, kMinM, kMaxM,
                    AccessExclusiveLock);
  add_int_reloption(option_kind, "ef_construction",
                    "Candidates kept in view when an element is linked", kDefaultEfConstruction,
                    kMinEfConstruction, kMaxEfConstruction, AccessExclusiveLock);
  define_settings();
  MarkGUCPrefixReserved("hnsw");
}

int option_m(Relation index) {
  const Options *options = reinterpret_cast<const Options *>(index->rd_options);
  return options != nullptr ? options->m : kDefaultM;
}

int option_ef_construction(Relation index) {
  const Options *options = reinterpret_cast<const Options *>(index->rd_options);
  return options != nullptr ? options->ef_construction : kDefaultEfConstruction;
}

extern "C" bytea *hnsw_options(Datum reloptions, bool validate) {
  static const relopt_parse_elt table[] = {
      {"m", RELOPT_TYPE_INT, offsetof(Options, m)},
      {"ef_construction", RELOPT_TYPE_INT, offsetof(Options, ef_construction)},
  };
  return static_cast<bytea *>(build_reloptions(reloptions, validate, option_kind, sizeof(Options),
                                               table, lengthof(table)));
}

}  // namespace vann::hnsw

// options.cpp — reloptions and settings; those of ivfflat have pgvector's names.
#include "am/ivfpq/options.hpp"

#include "am/common/settings.hpp"

extern "C" {
#include "access/reloptions.h"
#include "utils/guc.h"
}

#include <algorithm>

namespace vann::ivfpq {

namespace {

// Of lists that nobody has measured: enough for a few thousand rows.
constexpr uint32_t kUnmeasuredProbes = 16;

// A list of this many rows is some pages long; with fewer rows in all there are their root many lists, so
// that the directory is not longer than what is read of the lists.
constexpr double kRowsPerList = 512;

relopt_kind option_kind;

struct Options {
  int32 vl_len_;
  int lists;
  int codec;
  int subvectors;
  int code_bits;
  int rotation;
  int refine_bits;
};

enum CodecOption : int { kCodecRabitq = 0, kCodecPq = 1 };
enum RotationOption : int { kRotateRandom = 0, kRotateNone = 1, kRotateLearned = 2 };

relopt_enum_elt_def kCodecs[] = {{"rabitq", kCodecRabitq}, {"pq", kCodecPq}, {nullptr, 0}};
relopt_enum_elt_def kRotations[] = {
    {"random", kRotateRandom}, {"none", kRotateNone}, {"opq", kRotateLearned}, {nullptr, 0}};

// Settings of this backend; 0 = not set.
int probes = 0;
int max_probes = 0;
int iterative_scan = kScanStrict;
// Under pgvector's names, for whoever sets those.
int ivfflat_probes = 0;
int ivfflat_max_probes = 0;
int ivfflat_iterative_scan = kScanStrict;

const config_enum_entry kIterativeScanValues[] = {{"off", kScanOff, false},
                                                  {"relaxed_order", kScanRelaxed, false},
                                                  {"strict_order", kScanStrict, false},
                                                  {nullptr, 0, false}};

void define_family(const char *const names[3], int *probes_value, int *max_value,
                   int *iterative_value) {
  if (!am::taken(names[0]))
    DefineCustomIntVariable(names[0], "Sets how many lists a scan reads first.",
                            "0 takes what was measured when the index was built. Larger values "
                            "find more of the true neighbors and take longer.",
                            probes_value, 0, 0, kMaxLists, PGC_USERSET, 0, nullptr, nullptr,
                            nullptr);
  if (!am::taken(names[1]))
    DefineCustomIntVariable(names[1], "Sets how many lists a scan reads at most.",
                            "0 does not stop a scan before it has enough rows.", max_value, 0, 0,
                            kMaxLists, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  if (!am::taken(names[2]))
    DefineCustomEnumVariable(
        names[2],
        "Sets whether a scan goes on until the query has enough rows, and in which order.",
        "off stops after the first probes.", iterative_value, kScanStrict, kIterativeScanValues,
        PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

void define_reloptions() {
  option_kind = add_reloption_kind();
  const LOCKMODE lock = AccessExclusiveLock;
  add_int_reloption(option_kind, "lists", "Number of lists; 0 = by the number of rows", 0, 0,
                    kMaxLists, lock);
  add_enum_reloption(option_kind, "codec", "How rows are coded for the scan of a list", kCodecs,
                     kCodecRabitq, "Valid values are \"rabitq\" and \"pq\".", lock);
  add_int_reloption(option_kind, "subvectors",
                    "Subvectors of product quantization; 0 = by the dimensions", 0, 0,
                    kMaxSubvectors, lock);
  add_int_reloption(option_kind, "code_bits", "Bits per subvector of product quantization: 4 or 8",
                    4, 4, 8, lock);
  add_enum_reloption(option_kind, "rotation", "How vectors are rotated before they are coded",
                     kRotations, kRotateRandom,
                     "Valid values are \"random\", \"none\" and \"opq\".", lock);
  add_int_reloption(option_kind, "refine_bits",
                    "Bits per dimension of refine codes, 4 to 8; 0 = what fills pages", 0, 0, 8,
                    lock);
}

[[noreturn]] void report_option(const char *name, int value, const char *hint) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("invalid value for option \"%s\": %d", name, value), errhint("%s", hint)));
  pg_unreachable();
}

void check_options(const Options &options, int dims) {
  if (options.code_bits != 4 && options.code_bits != 8)
    report_option("code_bits", options.code_bits, "Use 4 or 8.");
  if (options.refine_bits != 0 && options.refine_bits < static_cast<int>(quantize::kMinCodeBits))
    report_option("refine_bits", options.refine_bits, "Use 4 to 8, or 0 for the default.");
  if (options.codec == kCodecRabitq && options.subvectors != 0)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"subvectors\" needs codec = pq"),
                    errhint("Add codec = pq, or leave subvectors out.")));
  if (options.codec == kCodecRabitq && options.code_bits != 4)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"code_bits\" needs codec = pq"),
                    errhint("Add codec = pq, or leave code_bits out.")));
  if (options.codec == kCodecRabitq && options.rotation == kRotateLearned)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rotation = opq needs codec = pq"),
             errhint("Add codec = pq, or leave rotation out.")));
  if (options.subvectors > dims)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("cannot divide %d dimensions into %d subvectors", dims, options.subvectors),
             errhint("Use at most one subvector per dimension; a quarter of the dimensions "
                     "is usual.")));
}

RotationKind rotation_of(const Options &options) {
  switch (options.rotation) {
    case kRotateNone:
      return RotationKind::kNone;
    case kRotateLearned:
      return RotationKind::kLearned;
    default:
      return RotationKind::kRandom;
  }
}

}  // namespace

void define_options() {
  define_reloptions();
  static const char *const own[] = {"ivfpq.probes", "ivfpq.max_probes", "ivfpq.iterative_scan"};
  static const char *const theirs[] = {"ivfflat.probes", "ivfflat.max_probes",
                                       "ivfflat.iterative_scan"};
  define_family(own, &probes, &max_probes, &iterative_scan);
  define_family(theirs, &ivfflat_probes, &ivfflat_max_probes, &ivfflat_iterative_scan);
  MarkGUCPrefixReserved("ivfpq");
  MarkGUCPrefixReserved("ivfflat");
}

IndexOptions index_options(Relation index, int dims) {
  const Options *stored = reinterpret_cast<const Options *>(index->rd_options);
  const Options options =
      stored != nullptr ? *stored : Options{0, 0, kCodecRabitq, 0, 4, kRotateRandom, 0};
  check_options(options, dims);
  quantize::Codec codec = quantize::Codec::kRabitq;
  if (options.codec == kCodecPq)
    codec = options.code_bits == 8 ? quantize::Codec::kPq8 : quantize::Codec::kPq4;
  return {static_cast<uint32_t>(options.lists),
          {codec, static_cast<uint32_t>(options.subvectors),
           static_cast<uint32_t>(options.refine_bits)},
          rotation_of(options)};
}

uint32_t lists_for(const MetaPage &meta, double rows) {
  if (meta.wanted_lists != 0) return meta.wanted_lists;
  const double lists = std::max(std::sqrt(rows), rows / kRowsPerList);
  return static_cast<uint32_t>(std::clamp(lists, 1.0, static_cast<double>(kMaxLists)));
}

uint32_t probes_for(const MetaPage &meta) {
  if (probes != 0) return static_cast<uint32_t>(probes);
  if (ivfflat_probes != 0) return static_cast<uint32_t>(ivfflat_probes);
  return meta.probes != 0 ? meta.probes : kUnmeasuredProbes;
}

uint32_t max_probes_setting() {
  if (max_probes != 0) return static_cast<uint32_t>(max_probes);
  return ivfflat_max_probes != 0 ? static_cast<uint32_t>(ivfflat_max_probes) : UINT32_MAX;
}

IterativeScan iterative_scan_setting() {
  return static_cast<IterativeScan>(std::min(iterative_scan, ivfflat_iterative_scan));
}

extern "C" bytea *ivfpq_options(Datum reloptions, bool validate) {
  static const relopt_parse_elt table[] = {
      {"lists", RELOPT_TYPE_INT, offsetof(Options, lists)},
      {"codec", RELOPT_TYPE_ENUM, offsetof(Options, codec)},
      {"subvectors", RELOPT_TYPE_INT, offsetof(Options, subvectors)},
      {"code_bits", RELOPT_TYPE_INT, offsetof(Options, code_bits)},
      {"rotation", RELOPT_TYPE_ENUM, offsetof(Options, rotation)},
      {"refine_bits", RELOPT_TYPE_INT, offsetof(Options, refine_bits)},
  };
  return static_cast<bytea *>(
      build_reloptions(reloptions, validate, option_kind, sizeof(Options), table, lengthof(table)));
}

}  // namespace vann::ivfpq

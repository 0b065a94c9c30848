// vector.cpp — the errors that the functions of `vector` and `halfvec` share. Texts are pgvector's.
#include "types/vector.hpp"

extern "C" {
#include "common/shortest_dec.h"
}

namespace vann::types {

void report_corrupt_datum(const char *type, size_t bytes, int dims) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("%s value is corrupt", type),
                  errdetail("Its size of %zu bytes does not fit its dimension count of %d.", bytes,
                            dims)));
}

void report_bad_dims(const char *type, int dims) {
  if (dims < 1)
    ereport(ERROR,
            (errcode(ERRCODE_DATA_EXCEPTION), errmsg("%s must have at least 1 dimension", type)));
  ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                  errmsg("%s cannot have more than %d dimensions", type, kMaxDims)));
}

void report_different_dims(const char *type, int a, int b) {
  ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                  errmsg("different %s dimensions %d and %d", type, a, b)));
}

void report_unexpected_dims(int32 expected, int dims) {
  ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                  errmsg("expected %d dimensions, not %d", expected, dims)));
}

void report_not_finite(const char *type, float value) {
  if (std::isnan(value))
    ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in %s", type)));
  ereport(ERROR,
          (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in %s", type)));
}

void report_half_range(float value) {
  char text[FLOAT_SHORTEST_DECIMAL_LEN];
  float_to_shortest_decimal_buf(value, text);
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                  errmsg("\"%s\" is out of range for type %s", text, HalfVector::kName)));
}

}  // namespace vann::types

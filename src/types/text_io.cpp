// text_io.cpp — `[1,2,3]` and type modifiers: the in, out and typmod_in functions of `vector` and
// `halfvec`.
#include "types/vector.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>

extern "C" {
#include "common/shortest_dec.h"
#include "nodes/nodes.h"
#include "utils/array.h"
}

namespace vann::types {
namespace {

// A value being read. `escontext` may take the error instead of an ERROR being raised; then the
// reading functions return false.
struct Input {
  const char *literal;
  const char *end;  // the terminating zero
  const char *at;
  Node *escontext;
};

bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

const char *skip_space(const char *at) noexcept {
  while (is_space(*at)) at++;
  return at;
}

template <DenseVector V>
bool reject_syntax(const Input &input, const char *detail = nullptr) {
  VANN_SAVE_ERROR(input.escontext,
                  (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                   errmsg("invalid input syntax for type %s: \"%s\"", V::kName, input.literal),
                   detail != nullptr ? errdetail("%s", detail) : 0));
  return false;
}

template <DenseVector V>
bool reject_range(const Input &input, const char *end) {
  VANN_SAVE_ERROR(input.escontext,
                  (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                   errmsg("\"%s\" is out of range for type %s",
                          pnstrdup(input.at, static_cast<Size>(end - input.at)), V::kName)));
  return false;
}

template <DenseVector V>
bool reject_not_finite(const Input &input, float value) {
  VANN_SAVE_ERROR(input.escontext,
                  (errcode(ERRCODE_DATA_EXCEPTION),
                   std::isnan(value) ? errmsg("NaN not allowed in %s", V::kName)
                                     : errmsg("infinite value not allowed in %s", V::kName)));
  return false;
}

template <DenseVector V>
bool reject_dims(const Input &input, int dims) {
  if (dims < 1) {
    VANN_SAVE_ERROR(input.escontext, (errcode(ERRCODE_DATA_EXCEPTION),
                                      errmsg("%s must have at least 1 dimension", V::kName)));
  } else {
    VANN_SAVE_ERROR(input.escontext,
                    (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                     errmsg("%s cannot have more than %d dimensions", V::kName, kMaxDims)));
  }
  return false;
}

bool ends_number(char c) noexcept { return c == ',' || c == ']' || is_space(c); }

// from_chars is several times faster than strtof and rounds alike, but knows fewer spellings and
// reports underflow differently: whatever it does not settle goes to strtof, whose behaviour is
// that of float4in. Returns the end of the number, `at` itself when there is none.
const char *read_float(const Input &input, float *value, bool *overflow) {
  const auto [fast_end, error] = std::from_chars(input.at, input.end, *value);
  *overflow = false;
  if (error == std::errc() && ends_number(*fast_end) && std::isnormal(*value)) return fast_end;

  char *end;
  errno = 0;
  *value = std::strtof(input.at, &end);
  *overflow = errno == ERANGE && std::isinf(*value);
  return end;
}

template <DenseVector V>
bool read_element(Input &input, typename V::Element *element) {
  float value;
  bool overflow;
  const char *end = read_float(input, &value, &overflow);
  if (end == input.at) return reject_syntax<V>(input);
  if (overflow) return reject_range<V>(input, end);
  if (!std::isfinite(value)) return reject_not_finite<V>(input, value);
  *element = round_to<V>(value);
  if (!std::isfinite(to_float(*element))) return reject_range<V>(input, end);
  input.at = end;
  return true;
}

// Reads `1, 2]`, the part behind the opening bracket, into `elements` of room for `capacity`.
template <DenseVector V>
bool read_elements(Input &input, typename V::Element *elements, int capacity, int *dims) {
  for (int n = 0;;) {
    if (n == capacity) return reject_dims<V>(input, kMaxDims + 1);
    input.at = skip_space(input.at);
    if (!read_element<V>(input, &elements[n])) return false;
    n++;
    input.at = skip_space(input.at);
    if (*input.at == ']') {
      input.at++;
      *dims = n;
      return true;
    }
    if (*input.at != ',') return reject_syntax<V>(input);
    input.at++;
  }
}

// The number of elements that the text can hold at most, but no more than a vector can.
int count_capacity(const Input &input) noexcept {
  int commas = 0;
  for (const char *c = input.at; c != input.end && commas < kMaxDims; c++) commas += *c == ',';
  return Min(commas + 1, kMaxDims);
}

template <DenseVector V>
V *read_vector(Input &input, int32 typmod) {
  input.at = skip_space(input.at);
  if (*input.at != '[') {
    reject_syntax<V>(input, "Vector contents must start with \"[\".");
    return nullptr;
  }
  input.at = skip_space(input.at + 1);
  if (*input.at == ']') {
    reject_dims<V>(input, 0);
    return nullptr;
  }

  const int capacity = count_capacity(input);
  V *result = allocate<V>(capacity);
  int dims;
  if (!read_elements<V>(input, result->elements, capacity, &dims)) return nullptr;
  if (*skip_space(input.at) != '\0') {
    reject_syntax<V>(input, "Junk after closing right brace.");
    return nullptr;
  }
  if (typmod != -1 && typmod != dims) {
    VANN_SAVE_ERROR(input.escontext, (errcode(ERRCODE_DATA_EXCEPTION),
                                      errmsg("expected %d dimensions, not %d", typmod, dims)));
    return nullptr;
  }
  result->dims = static_cast<int16>(dims);
  SET_VARSIZE(result, datum_bytes<V>(dims));
  return result;
}

template <DenseVector V>
Datum text_in(FunctionCallInfo fcinfo) {
  const char *literal = PG_GETARG_CSTRING(0);
  Input input{literal, literal + std::strlen(literal), literal, fcinfo->context};
  V *result = read_vector<V>(input, PG_GETARG_INT32(2));
  return PointerGetDatum(result);
}

template <DenseVector V>
Datum text_out(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  // Each element with a separator, two brackets, the terminating zero.
  char *text =
      static_cast<char *>(palloc(static_cast<Size>(vector->dims) * FLOAT_SHORTEST_DECIMAL_LEN + 3));
  char *at = text;
  for (int i = 0; i < vector->dims; i++) {
    *at++ = i == 0 ? '[' : ',';
    at += float_to_shortest_decimal_bufn(to_float(vector->elements[i]), at);
  }
  *at++ = ']';
  *at = '\0';
  PG_RETURN_CSTRING(text);
}

template <DenseVector V>
Datum typmod_in(FunctionCallInfo fcinfo) {
  int count;
  const int32 *modifiers = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);
  if (count != 1)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
  if (modifiers[0] < 1)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("dimensions for type %s must be at least 1", V::kName)));
  if (modifiers[0] > kMaxDims)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("dimensions for type %s cannot exceed %d", V::kName, kMaxDims)));
  PG_RETURN_INT32(modifiers[0]);
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_in) { return text_in<Vector>(fcinfo); }
VANN_FUNCTION(vector_out) { return text_out<Vector>(fcinfo); }
VANN_FUNCTION(vector_typmod_in) { return typmod_in<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_in) { return text_in<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_out) { return text_out<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_typmod_in) { return typmod_in<HalfVector>(fcinfo); }

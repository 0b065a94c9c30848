// binary_io.cpp — recv and send of `vector` and `halfvec`. The message is, in network byte order:
//   int16 dims | int16 unused, zero | dims elements: float4 (vector) or IEEE half bits (halfvec)
#include "types/vector.hpp"

#include <type_traits>

extern "C" {
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
}

namespace vann::types {
namespace {

// Copies `count` elements between host and network byte order. Neither side need be aligned.
template <DenseVector V>
void swap_elements(void *to, const void *from, int count) noexcept {
  using Bits = std::conditional_t<sizeof(typename V::Element) == 4, uint32, uint16>;
  char *target = static_cast<char *>(to);
  const char *source = static_cast<const char *>(from);
  for (size_t i = 0; i < count * sizeof(Bits); i += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, source + i, sizeof bits);
    if constexpr (sizeof bits == 4)
      bits = pg_ntoh32(bits);
    else
      bits = pg_ntoh16(bits);
    std::memcpy(target + i, &bits, sizeof bits);
  }
}

template <DenseVector V>
Datum receive_vector(FunctionCallInfo fcinfo) {
  StringInfo message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int dims = static_cast<int16>(pq_getmsgint(message, sizeof(int16)));
  const int unused = static_cast<int16>(pq_getmsgint(message, sizeof(int16)));
  check_dims<V>(dims);
  check_expected_dims(PG_GETARG_INT32(2), dims);
  if (unused != 0)
    ereport(ERROR,
            (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected unused to be 0, not %d", unused)));

  const int bytes = dims * static_cast<int>(sizeof(typename V::Element));
  const char *elements = pq_getmsgbytes(message, bytes);
  V *result = allocate<V>(dims);
  swap_elements<V>(result->elements, elements, dims);
  for (int i = 0; i < dims; i++) {
    const float value = to_float(result->elements[i]);
    if (!std::isfinite(value)) report_not_finite(V::kName, value);
  }
  PG_RETURN_POINTER(result);
}

template <DenseVector V>
Datum send_vector(FunctionCallInfo fcinfo) {
  const V *vector = detoast<V>(PG_GETARG_DATUM(0));
  const size_t element_bytes = static_cast<size_t>(vector->dims) * sizeof(typename V::Element);
  StringInfoData message;
  pq_begintypsend(&message);
  enlargeStringInfo(&message, static_cast<int>(2 * sizeof(int16) + element_bytes));
  pq_writeint16(&message, static_cast<uint16>(vector->dims));
  pq_writeint16(&message, static_cast<uint16>(vector->unused));
  swap_elements<V>(message.data + message.len, vector->elements, vector->dims);
  message.len += static_cast<int>(element_bytes);
  PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

}  // namespace
}  // namespace vann::types

using namespace vann::types;

VANN_FUNCTION(vector_recv) { return receive_vector<Vector>(fcinfo); }
VANN_FUNCTION(vector_send) { return send_vector<Vector>(fcinfo); }

VANN_FUNCTION(halfvec_recv) { return receive_vector<HalfVector>(fcinfo); }
VANN_FUNCTION(halfvec_send) { return send_vector<HalfVector>(fcinfo); }

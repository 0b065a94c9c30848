// element.cpp — encodes new elements and chooses their neighbors. See README.md, "Insert".
#include "am/hnsw/element.hpp"

#include <algorithm>

namespace vann::hnsw {

namespace {

constexpr float kOcclusionFactors[] = {1.0f, 1.2f, 1.5f};

// A candidate's code as bytes, for distances among candidates.
struct WorkingCode {
  quantize::ByteCode code;
  const int8_t *values;
};

float length_between(const WorkingCode &a, const WorkingCode &b, size_t dims) {
  const int32_t dot = simd::kernels().dot_i8(a.values, b.values, quantize::padded_dims(dims));
  return quantize::decoded_norm_squared(a.code.factors) +
         quantize::decoded_norm_squared(b.code.factors) -
         2.0f * quantize::decoded_dot(dot, a.code, b.code, dims);
}

WorkingCode to_working(const Layout &layout, Candidate *candidate) {
  const quantize::CodeShape &shape = layout.shape;
  float *decoded = static_cast<float *>(palloc(shape.dims * sizeof(float)));
  int8_t *values = static_cast<int8_t *>(palloc(quantize::padded_dims(shape.dims)));
  const quantize::ByteCode code = quantize::planes_to_bytes(
      candidate->planes, candidate->factors, shape.dims, shape.code_bits, decoded, values);
  quantize::decode_planes(candidate->planes, candidate->factors, shape.dims, shape.code_bits,
                          decoded);
  candidate->decoded = decoded;
  return {code, values};
}

}  // namespace

quantize::CodeFactors encode_stored(const Layout &layout, const float *prepared, uint8_t *planes) {
  const quantize::CodeShape &shape = layout.shape;
  int8_t *values = static_cast<int8_t *>(palloc(quantize::padded_dims(shape.dims)));
  const quantize::ByteCode bytes = quantize::encode_bytes(prepared, shape.dims, values);
  const quantize::CodeFactors factors =
      quantize::encode_planes(values, bytes, shape.dims, shape.code_bits, planes);
  pfree(values);
  return factors;
}

Element make_element(const Index &index, Datum value) {
  const Layout &layout = index.layout();
  const quantize::CodeShape &shape = layout.shape;
  float *prepared = static_cast<float *>(palloc(rotated_floats(*index.cache) * sizeof(float)));
  prepare_element(index, value, prepared);

  Element element;
  uint8_t *planes = static_cast<uint8_t *>(palloc(quantize::code_bytes(shape.dims, shape.code_bits)));
  element.factors = encode_stored(layout, prepared, planes);
  element.planes = planes;
  quantize::decode_planes(planes, element.factors, shape.dims, shape.code_bits, prepared);
  element.decoded = prepared;
  element.query = quantize::prepare_query(
      shape, prepared,
      pg::allocate_aligned<uint8_t>(CurrentMemoryContext, quantize::query_bytes(shape)));
  return element;
}

bool same_code(ConstRecord record, const Element &element) {
  const quantize::CodeShape &shape = record.layout().shape;
  return memcmp(&record.header().factors, &element.factors, sizeof(element.factors)) == 0 &&
         memcmp(record.code(), element.planes,
                quantize::code_bytes(shape.dims, shape.code_bits)) == 0;
}

Candidate copy_candidate(ConstRecord record, uint32_t id, float length) {
  const quantize::CodeShape &shape = record.layout().shape;
  const size_t bytes = quantize::code_bytes(shape.dims, shape.code_bits);
  uint8_t *planes = static_cast<uint8_t *>(palloc(bytes));
  memcpy(planes, record.code(), bytes);
  return {length,         id,     record.header().generation, record.state(),
          record.header().factors, planes, nullptr};
}

uint32_t select_neighbors(const Layout &layout, Array<Candidate> *candidates, uint32_t *kept) {
  std::sort(candidates->begin(), candidates->end(), [](const Candidate &a, const Candidate &b) {
    return a.length < b.length || (a.length == b.length && a.record < b.record);
  });
  const uint32_t count = static_cast<uint32_t>(candidates->size);
  const uint32_t degree = layout.degree;
  WorkingCode *codes = static_cast<WorkingCode *>(palloc((count + 1) * sizeof(WorkingCode)));
  for (uint32_t i = 0; i < count; ++i) codes[i] = to_working(layout, &(*candidates)[i]);

  bool *chosen = static_cast<bool *>(palloc0(count + 1));
  uint32_t *order = static_cast<uint32_t *>(palloc((count + 1) * sizeof(uint32_t)));
  uint32_t selected = 0;
  for (const float factor : kOcclusionFactors) {
    for (uint32_t i = 0; i < count && selected < degree; ++i) {
      if (chosen[i]) continue;
      bool hidden = false;
      for (uint32_t k = 0; k < selected && !hidden; ++k)
        hidden = order[k] < i &&
                 factor * length_between(codes[order[k]], codes[i], layout.shape.dims) <=
                     (*candidates)[i].length;
      if (hidden) continue;
      chosen[i] = true;
      order[selected++] = i;
    }
  }

  *kept = selected;
  for (uint32_t i = 0; i < count && *kept < degree; ++i) {
    if (chosen[i]) continue;
    chosen[i] = true;
    order[(*kept)++] = i;
  }
  Candidate *front = static_cast<Candidate *>(palloc((*kept + 1) * sizeof(Candidate)));
  for (uint32_t i = 0; i < *kept; ++i) front[i] = (*candidates)[order[i]];
  std::copy(front, front + *kept, candidates->begin());
  candidates->size = *kept;
  return selected;
}

}  // namespace vann::hnsw

// element.hpp — a new element in working form, the candidates that it may be linked to, and the choice
// among them. Memory comes from the current context; no locks are taken.
#pragma once

#include "am/hnsw/edges.hpp"
#include "am/hnsw/index.hpp"

namespace vann::hnsw {

// A vector encoded as elements are.
struct Element {
  const float *decoded;           // [shape.dims], of the stored code
  const uint8_t *planes;          // the stored code
  quantize::CodeFactors factors;  // of the stored code
  quantize::PreparedQuery query;  // `decoded` as a query
};

// The stored code of a prepared vector ([shape.dims], see prepare_element); writes code_bytes().
quantize::CodeFactors encode_stored(const Layout &layout, const float *prepared, uint8_t *planes);

// Reads and encodes an indexed value.
Element make_element(const Index &index, Datum value);

// True when the record holds exactly this code: for the graph the two are one element.
bool same_code(ConstRecord record, const Element &element);

// An element that the search met: what linking needs, copied from its page.
struct Candidate {
  float length;  // squared L2 from the new element
  uint32_t record;
  uint8_t generation;
  State state;
  quantize::CodeFactors factors;
  const uint8_t *planes;
  const float *decoded;  // null until select_neighbors() has run
};

Candidate copy_candidate(ConstRecord record, uint32_t id, float length);

// Sorts the candidates by length and keeps the neighbors of the new element at the front: first the
// selected ones (SELECT-NEIGHBORS-HEURISTIC with occlusion factors 1.0, 1.2 and 1.5 in turn until
// the list is full), then, up to the degree, the nearest of the others. Returns how many were selected;
// `*kept` is how many stand at the front in all.
uint32_t select_neighbors(const Layout &layout, Array<Candidate> *candidates, uint32_t *kept);

}  // namespace vann::hnsw

// elements.hpp — elements, records and queries in memory of their own, as pages hold them.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "am/hnsw/edges.hpp"
#include "support/guarded_array.hpp"

namespace vann::hnsw::test {

// A vector's stored code and what it decodes to.
struct Element {
  Element(const Layout &layout, const std::vector<float> &x)
      : code(quantize::code_bytes(layout.shape.dims, layout.shape.code_bits)),
        decoded(layout.shape.dims) {
    const uint32_t dims = layout.shape.dims;
    std::vector<int8_t> values(quantize::padded_dims(dims));
    const quantize::ByteCode bytes = quantize::encode_bytes(x.data(), dims, values.data());
    factors =
        quantize::encode_planes(values.data(), bytes, dims, layout.shape.code_bits, code.data());
    quantize::decode_planes(code.data(), factors, dims, layout.shape.code_bits, decoded.data());
  }

  std::vector<uint8_t> code;
  std::vector<float> decoded;
  quantize::CodeFactors factors;
};

// A record alone between inaccessible pages: reading outside it faults.
class RecordBuffer {
 public:
  explicit RecordBuffer(const Layout &layout) : layout_(layout), bytes_(layout.stride) {
    std::memset(bytes_.data(), 0, layout.stride);
  }
  RecordBuffer(const Layout &layout, const Element &element) : RecordBuffer(layout) {
    record().header().state = static_cast<uint8_t>(State::kLive);
    record().header().factors = element.factors;
    std::memcpy(record().code(), element.code.data(), element.code.size());
  }

  Record record() { return {bytes_.data(), layout_}; }
  ConstRecord read() const { return {bytes_.data(), layout_}; }
  uint8_t *bytes() { return bytes_.data(); }
  bool slack_intact() const { return bytes_.slack_intact(); }

 private:
  Layout layout_;
  vann::test::GuardedArray<uint8_t> bytes_;
};

class Query {
 public:
  Query(const quantize::CodeShape &shape, const std::vector<float> &q)
      : memory_(new (std::align_val_t{64}) uint8_t[quantize::query_bytes(shape)]),
        prepared_(quantize::prepare_query(shape, q.data(), memory_.get())) {}

  const quantize::PreparedQuery &get() const { return prepared_; }

 private:
  struct Delete {
    void operator()(uint8_t *memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  std::unique_ptr<uint8_t[], Delete> memory_;
  quantize::PreparedQuery prepared_;
};

}  // namespace vann::hnsw::test

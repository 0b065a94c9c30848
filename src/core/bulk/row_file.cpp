// row_file.cpp — packs and unpacks records; joins reads of rows that lie near each other.
#include "core/bulk/row_file.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/no_postgres.hpp"

namespace vann::bulk {
namespace {

constexpr size_t kHeadBytes = sizeof(RowKey) + sizeof(quantize::ByteCode);
// Read at once at the most; and a gap that is cheaper to read than to jump over.
constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kGapBytes = size_t{8} << 10;

}  // namespace

RowFile::RowFile(std::unique_ptr<spill::SpillFile> file, size_t dims, size_t buffer)
    : dims_(dims), stride_(quantize::padded_dims(dims)), record_bytes_(kHeadBytes + stride_),
      file_(std::move(file), buffer) {}

void RowFile::append(RowKey key, const quantize::ByteCode &code, const int8_t *values) {
  std::byte *record = file_.extend(record_bytes_);
  std::memcpy(record, &key, sizeof key);
  std::memcpy(record + sizeof key, &code, sizeof code);
  std::memcpy(record + kHeadBytes, values, stride_);
  ++rows_;
}

void RowFile::read_records(size_t first, size_t count) {
  file_.read(first * record_bytes_, records_.reserve(count * record_bytes_), count * record_bytes_);
}

void RowFile::unpack(size_t record, size_t row, RowBlock &block) const {
  const std::byte *from = records_.data() + record * record_bytes_;
  std::memcpy(&block.key(row), from, sizeof(RowKey));
  std::memcpy(&block.code(row), from + sizeof(RowKey), sizeof(quantize::ByteCode));
  std::memcpy(block.values(row), from + kHeadBytes, stride_);
}

void RowFile::read(size_t first, size_t count, RowBlock &block) {
  block.resize(count);
  const size_t step = std::max<size_t>(1, kReadBytes / record_bytes_);
  for (size_t done = 0; done < count; done += step) {
    const size_t rows = std::min(step, count - done);
    read_records(first + done, rows);
    for (size_t i = 0; i < rows; ++i) unpack(i, done + i, block);
  }
}

void RowFile::gather(const IdSet &members, RowBlock &block) {
  block.resize(members.size());
  const size_t most = std::max<size_t>(1, kReadBytes / record_bytes_);
  const size_t gap = std::max<size_t>(1, kGapBytes / record_bytes_);
  std::vector<uint32_t> run;  // members that one read brings
  size_t row = 0;
  const auto fetch = [&] {
    if (run.empty()) return;
    read_records(run.front(), run.back() - run.front() + 1);
    for (const uint32_t id : run) unpack(id - run.front(), row++, block);
    run.clear();
  };
  members.for_each([&](uint32_t id) {
    if (!run.empty() && (id - run.back() > gap || id - run.front() >= most)) fetch();
    run.push_back(id);
  });
  fetch();
}

float RowFile::distance(size_t a, size_t b) {
  RowBlock pair(dims_);
  pair.resize(2);
  read_records(a, 1);
  unpack(0, 0, pair);
  read_records(b, 1);
  unpack(0, 1, pair);
  const build::VectorSet set = pair.set();
  return build::RowView(set, nullptr, 2).distance(0, 1);
}

}  // namespace vann::bulk

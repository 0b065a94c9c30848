// bytes.cpp — whole files and numbers of a stated byte order.
#include "bench/data/bytes.hpp"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace vann::bench {
namespace {

uint32_t byte(const char *bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

}  // namespace

void refuse(const std::string &path, const std::string &reason) {
  throw std::runtime_error(path + ": " + reason);
}

size_t file_bytes(const std::string &path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) refuse(path, error.message());
  return bytes;
}

std::string read_file(const std::string &path, size_t limit) {
  std::string content(std::min(file_bytes(path), limit), '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be opened");
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (static_cast<size_t>(file.gcount()) != content.size()) refuse(path, "cannot be read");
  return content;
}

uint16_t little_endian_16(const char *bytes) {
  return static_cast<uint16_t>(byte(bytes, 0) | byte(bytes, 1) << 8);
}

uint32_t little_endian_32(const char *bytes) {
  return byte(bytes, 0) | byte(bytes, 1) << 8 | byte(bytes, 2) << 16 | byte(bytes, 3) << 24;
}

uint32_t big_endian_32(const char *bytes) {
  return byte(bytes, 0) << 24 | byte(bytes, 1) << 16 | byte(bytes, 2) << 8 | byte(bytes, 3);
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // infinity and NaN keep the largest exponent
    return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
  }
  // Half's exponent, moved to float's place, is rebased by a multiplication, which also takes care
  // of subnormal numbers.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | sign);
}

}  // namespace vann::bench

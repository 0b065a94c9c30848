// bytes.hpp — files as bytes, and their refusal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vann::bench {

// Throws std::runtime_error("path: reason").
[[noreturn]] void refuse(const std::string &path, const std::string &reason);

// The first `limit` bytes of the file, or all.
std::string read_file(const std::string &path, size_t limit = static_cast<size_t>(-1));
size_t file_bytes(const std::string &path);

uint16_t little_endian_16(const char *bytes);
uint32_t little_endian_32(const char *bytes);
uint32_t big_endian_32(const char *bytes);
float half_to_float(uint16_t half);

}  // namespace vann::bench

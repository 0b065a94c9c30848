// read_words.cpp — vectors in their text form, in lines of COPY's text format under gzip.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bench/data/bytes.hpp"
#include "bench/data/readers.hpp"

namespace vann::bench {
namespace {

std::string unzip(const std::string &path) {
  file_bytes(path);  // refuses a missing file by its name
  const std::string command = "gzip -dc '" + path + "'";
  const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) refuse(path, "cannot be decompressed");
  std::string content;
  std::array<char, 1 << 16> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    content.append(buffer.data(), n);
  }
  return content;
}

// Appends the numbers of "[x,y,...]" at `cursor`; leaves it at the bracket that ends them.
size_t parse_vector(const char *&cursor, std::vector<float> &values) {
  size_t dims = 0;
  for (; *cursor == '[' || *cursor == ','; ++dims) {
    char *end;
    values.push_back(std::strtof(cursor + 1, &end));
    cursor = end;
  }
  return dims;
}

}  // namespace

Matrix read_words(const std::string &path) {
  const std::string content = unzip(path);
  Matrix words;
  for (size_t at = content.find('['); at != std::string::npos;) {
    const char *cursor = content.c_str() + at;
    const size_t dims = parse_vector(cursor, words.values);
    if (*cursor != ']' || (words.rows > 0 && dims != words.dims)) {
      refuse(path, "is damaged at vector " + std::to_string(words.rows + 1));
    }
    words.dims = dims;
    ++words.rows;
    at = content.find('[', static_cast<size_t>(cursor - content.c_str()));
  }
  if (words.rows == 0) refuse(path, "holds no vectors");
  return words;
}

}  // namespace vann::bench

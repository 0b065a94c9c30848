// Readers: files made here byte by byte, whole, cut and of another kind.
#include "bench/data/readers.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/data/bytes.hpp"

namespace vann::bench {
namespace {

class ReadersTest : public testing::Test {
 protected:
  ReadersTest() : directory_(testing::TempDir() + "vann-readers-" + std::to_string(getpid())) {
    std::filesystem::create_directories(directory_);
  }
  ~ReadersTest() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string &name, const std::string &content) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string directory_;
};

std::string little_endian(uint32_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string floats(const std::vector<float> &values) {
  std::string text;
  for (const float value : values) text += little_endian(std::bit_cast<uint32_t>(value), 4);
  return text;
}

std::string npy(const std::string &type, const std::string &shape, const std::string &body) {
  const std::string dictionary =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) +
         little_endian(static_cast<uint32_t>(dictionary.size()), 2) + dictionary + body;
}

// Expects the exception, and that it names the file.
template <class Read>
void expect_refused(const std::string &path, const Read &read) {
  try {
    read();
    FAIL() << path << " was accepted";
  } catch (const std::runtime_error &error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
}

TEST_F(ReadersTest, ReadsFvecsAndOnlyTheRowsAskedFor) {
  std::string content;
  for (const float first : {1.0f, -2.5f, 7.0f}) {
    content += little_endian(2, 4) + floats({first, first + 0.25f});
  }
  const std::string path = file("a.fvecs", content);
  const Matrix all = read_vecs(path);
  EXPECT_EQ(all.rows, 3u);
  EXPECT_EQ(all.dims, 2u);
  EXPECT_EQ(all.values, (std::vector<float>{1, 1.25, -2.5, -2.25, 7, 7.25}));
  EXPECT_EQ(read_vecs(path, 2).values, (std::vector<float>{1, 1.25, -2.5, -2.25}));
}

TEST_F(ReadersTest, ReadsBvecsAsUnsignedBytes) {
  const std::string path = file("a.bvecs", little_endian(3, 4) + std::string("\x00\x7f\xff", 3));
  EXPECT_EQ(read_vecs(path).values, (std::vector<float>{0, 127, 255}));
}

TEST_F(ReadersTest, RefusesDamagedVecs) {
  for (const std::string &content :
       {std::string(), little_endian(2, 4) + floats({1}), little_endian(0, 4),
        little_endian(1, 4) + floats({1}) + little_endian(2, 4) + floats({1})}) {
    const std::string path = file("damaged.fvecs", content);
    expect_refused(path, [&] { read_vecs(path); });
  }
  expect_refused(directory_ + "/none.fvecs", [&] { read_vecs(directory_ + "/none.fvecs"); });
}

TEST_F(ReadersTest, ReadsNpyOfEveryPrecision) {
  const std::string single = file("s.npy", npy("<f4", "(2, 2)", floats({1, 2, 3, -4})));
  EXPECT_EQ(read_npy(single).values, (std::vector<float>{1, 2, 3, -4}));
  EXPECT_EQ(read_npy(single, 1).values, (std::vector<float>{1, 2}));
  // 1, the largest, the least subnormal and minus a half.
  const std::string half = file("h.npy", npy("<f2", "(1, 4)",
                                             little_endian(0x3c00, 2) + little_endian(0x7bff, 2) +
                                                 little_endian(1, 2) + little_endian(0xb800, 2)));
  EXPECT_EQ(read_npy(half).values, (std::vector<float>{1, 65504, 0x1p-24f, -0.5}));
  const uint64_t bits = std::bit_cast<uint64_t>(-1.5);
  const std::string twice =
      file("d.npy", npy("<f8", "(1, 1)",
                        little_endian(static_cast<uint32_t>(bits), 4) +
                            little_endian(static_cast<uint32_t>(bits >> 32), 4)));
  EXPECT_EQ(read_npy(twice).values, (std::vector<float>{-1.5}));
}

TEST_F(ReadersTest, RefusesOtherNpy) {
  for (const std::string &content :
       {std::string("no array at all"), npy("<i4", "(1, 1)", floats({1})),
        npy(">f4", "(1, 1)", floats({1})), npy("<f4", "(3,)", floats({1, 2, 3})),
        npy("<f4", "(2, 2)", floats({1, 2, 3}))}) {
    const std::string path = file("other.npy", content);
    expect_refused(path, [&] { read_npy(path); });
  }
}

TEST_F(ReadersTest, ReadsIdxImages) {
  const std::string head("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02", 16);
  const Matrix images = read_idx(file("i", head + std::string("\x01\x02\xfe\xff", 4)));
  EXPECT_EQ(images.rows, 2u);
  EXPECT_EQ(images.dims, 2u);
  EXPECT_EQ(images.values, (std::vector<float>{1, 2, 254, 255}));
  const std::string cut = file("cut", head + "abc");
  expect_refused(cut, [&] { read_idx(cut); });
  const std::string labels = file("labels", std::string("\0\0\x08\x01\0\0\0\x01\x05", 9));
  expect_refused(labels, [&] { read_idx(labels); });
}

TEST_F(ReadersTest, ReadsWords) {
  const std::string path = file("w.tsv", "1\tthe\t[0.5,-1]\n2\tof\t[1e-3,4]\n");
  ASSERT_EQ(std::system(("gzip '" + path + "'").c_str()), 0);
  const Matrix words = read_words(path + ".gz");
  EXPECT_EQ(words.rows, 2u);
  EXPECT_EQ(words.values, (std::vector<float>{0.5, -1, 1e-3f, 4}));
  const std::string damaged = file("d.tsv", "1\tthe\t[0.5,-1]\n2\tof\t[1]\n");
  ASSERT_EQ(std::system(("gzip '" + damaged + "'").c_str()), 0);
  expect_refused(damaged + ".gz", [&] { read_words(damaged + ".gz"); });
}

TEST(HalfToFloat, KeepsInfinityAndSign) {
  EXPECT_EQ(half_to_float(0x7c00), INFINITY);
  EXPECT_EQ(half_to_float(0xfc00), -INFINITY);
  EXPECT_TRUE(std::isnan(half_to_float(0x7e00)));
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
}

}  // namespace
}  // namespace vann::bench

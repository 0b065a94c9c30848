// readers.hpp — vectors from files. Every reader throws std::runtime_error, which names the file
// and what is wrong with it: missing, not of its format, truncated.
#pragma once

#include <cstddef>
#include <string>

#include "bench/data/matrix.hpp"

namespace vann::bench {

// At most so many rows, from the start of the file.
inline constexpr size_t kAllRows = static_cast<size_t>(-1);

// Lines "rank <tab> word <tab> [x,y,...]" under gzip, as in test/data.
Matrix read_words(const std::string &path);

// NumPy, format 1 to 3: two axes, C order, little-endian half, single or double precision.
Matrix read_npy(const std::string &path, size_t limit = kAllRows);

// MNIST's idx3 of unsigned bytes: an image is a row.
Matrix read_idx(const std::string &path);

// *.fvecs, *.bvecs: each row is its length (32 bits) and as many floats or bytes.
Matrix read_vecs(const std::string &path, size_t limit = kAllRows);

// A data set of two axes in an HDF5 file. An error where the program was built without libhdf5.
Matrix read_hdf5(const std::string &path, const std::string &name, size_t limit = kAllRows);
// The file's attribute `distance` ("euclidean", "angular", ...); empty where there is none.
std::string read_hdf5_distance(const std::string &path);

}  // namespace vann::bench

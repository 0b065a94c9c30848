// dataset.hpp — vectors to index and to search for, by name.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "options.hpp"

namespace vann::bench {

enum class Metric { kL2, kCosine };

struct Matrix {
  size_t rows = 0;
  size_t dims = 0;
  std::vector<float> values;  // [rows][dims]

  const float *row(size_t i) const { return values.data() + i * dims; }
};

struct Dataset {
  std::string name;
  Metric metric;
  Matrix base;  // the last `inserts` rows are held out of the build
  Matrix queries;
};

// words      data_dir/words.tsv.gz (GloVe, 100 dimensions, cosine); queries are rows, left out of base
// text       data_dir/text512_base.f16.npy and text512_query.f16.npy (512, cosine)
// images     data_dir/train-images-idx3-ubyte and t10k-images-idx3-ubyte (784, L2)
// synthetic  Gaussian clusters from a fixed seed (dims, clusters, rows; L2)
// Throws std::runtime_error naming the file that is missing or not of its format.
Dataset load_dataset(const Options &options);

}  // namespace vann::bench

// dataset.hpp — vectors to index and to search for, by name or by file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/data/matrix.hpp"
#include "bench/data/metric.hpp"

namespace vann::bench {

// What to load. Numbers are upper limits where a file sets them.
struct DataRequest {
  // words          words.tsv.gz (GloVe, 100 dimensions, cosine)
  // text           text512_base.f16.npy, text512_query.f16.npy (512 dimensions, cosine)
  // images         train-images-idx3-ubyte, t10k-images-idx3-ubyte (784 dimensions, L2)
  // synthetic-D    Gaussian clouds of D dimensions; synthetic-DxN: N rows
  // FILE[:FILE]    vectors to index and, after the colon, queries: .fvecs .bvecs .npy, or .hdf5
  //                with the data sets train and test
  std::string source;
  std::vector<std::string> directories;  // where named files are looked for, in this order
  std::string metric;                    // l2, cosine or ip; empty: the data set's own, else l2
  size_t rows = 0;                       // rows to index; 0 = all, or 100,000 synthetic ones
  size_t held = 2000;                    // rows kept back for inserts
  size_t queries = 1000;
  size_t clusters = 1000;  // of synthetic data
};

struct Dataset {
  std::string name;
  Metric metric;
  size_t held;     // the first rows of `base`: not in the index when it is built
  Matrix base;     // held rows, then rows to index, each spread over the source
  Matrix queries;  // the source's own, or rows that are not in `base`

  size_t dims() const { return base.dims; }
  size_t indexed() const { return base.rows - held; }
};

// Throws std::runtime_error, which names the file that is missing or not of its format.
Dataset load_dataset(const DataRequest &request);

}  // namespace vann::bench

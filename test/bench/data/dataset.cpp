// dataset.cpp — finds and reads the sources, then splits their rows.
#include "bench/data/dataset.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "bench/data/readers.hpp"
#include "bench/data/synthetic.hpp"

namespace vann::bench {
namespace {

constexpr size_t kSyntheticRows = 100'000;

// A source before its rows are dealt out.
struct Source {
  std::string name;
  Metric metric = Metric::kL2;
  Matrix rows;
  Matrix queries;  // empty: to be taken from the rows
};

std::string find(const DataRequest &request, const std::string &name) {
  for (const std::string &directory : request.directories) {
    const std::string path = directory + "/" + name;
    if (std::filesystem::exists(path)) return path;
  }
  throw std::runtime_error("no directory of --data_dir holds " + name);
}

size_t wanted_rows(const DataRequest &request) {
  if (request.rows == 0) return kAllRows;
  return request.rows + request.held + request.queries;
}

bool is_hdf5(const std::string &path) { return path.ends_with(".hdf5") || path.ends_with(".h5"); }

Matrix read_any(const std::string &path, const char *hdf5_name, size_t limit) {
  if (is_hdf5(path)) return read_hdf5(path, hdf5_name, limit);
  if (path.ends_with(".npy")) return read_npy(path, limit);
  if (path.ends_with(".fvecs") || path.ends_with(".bvecs")) return read_vecs(path, limit);
  throw std::runtime_error("'" + path +
                           "' is no data set: words, text, images, synthetic-DIMS[xROWS]"
                           ", or a file *.fvecs, *.bvecs, *.npy or *.hdf5");
}

Source read_files(const DataRequest &request) {
  const size_t colon = request.source.find(':');
  const std::string base = request.source.substr(0, colon);
  Source source{std::filesystem::path(base).stem().string(), Metric::kL2, {}, {}};
  source.rows = read_any(base, "train", wanted_rows(request));
  if (colon != std::string::npos) {
    source.queries = read_any(request.source.substr(colon + 1), "test", request.queries);
  } else if (is_hdf5(base)) {
    source.queries = read_hdf5(base, "test", request.queries);
  }
  if (is_hdf5(base)) {
    const std::string distance = read_hdf5_distance(base);
    if (distance == "angular" || distance == "cosine") source.metric = Metric::kCosine;
    if (distance == "ip" || distance == "dot") source.metric = Metric::kInnerProduct;
  }
  return source;
}

Source draw(const DataRequest &request) {
  size_t dims = 128, rows = 0;
  if (sscanf(request.source.c_str(), "synthetic-%zux%zu", &dims, &rows) < 2) {
    rows = request.rows == 0 ? kSyntheticRows : request.rows;
  }
  if (dims == 0 || dims > 16'000 || rows == 0) {
    throw std::runtime_error(request.source + ": dimensions are from 1 to 16000");
  }
  return {"synthetic-" + std::to_string(dims),
          Metric::kL2,
          draw_clusters(rows + request.held + request.queries, dims, request.clusters),
          {}};
}

Source read_source(const DataRequest &request) {
  if (request.source == "words") {
    return {"words", Metric::kCosine, read_words(find(request, "words.tsv.gz")), {}};
  }
  if (request.source == "text") {
    return {"text", Metric::kCosine, read_npy(find(request, "text512_base.f16.npy")),
            read_npy(find(request, "text512_query.f16.npy"))};
  }
  if (request.source == "images") {
    return {"images", Metric::kL2, read_idx(find(request, "train-images-idx3-ubyte")),
            read_idx(find(request, "t10k-images-idx3-ubyte"))};
  }
  if (request.source.starts_with("synthetic")) return draw(request);
  return read_files(request);
}

Metric parse_metric(const std::string &name) {
  if (name == "l2") return Metric::kL2;
  if (name == "cosine") return Metric::kCosine;
  if (name == "ip") return Metric::kInnerProduct;
  throw std::runtime_error("--metric is l2, cosine or ip, not '" + name + "'");
}

// Moves `n` rows, spread evenly over `from`, to the end of `to`. Nothing else changes its order.
void take(Matrix &from, size_t n, Matrix &to) {
  to.dims = from.dims;
  Matrix rest{0, from.dims, {}};
  rest.values.reserve(from.values.size());
  for (size_t i = 0, taken = 0; i < from.rows; ++i) {
    const bool due = taken < n && i * n >= taken * from.rows;
    taken += due;
    (due ? to : rest).append(from.row(i));
  }
  from = std::move(rest);
}

void truncate(Matrix &matrix, size_t rows) {
  matrix.rows = std::min(matrix.rows, rows);
  matrix.values.resize(matrix.rows * matrix.dims);
}

}  // namespace

Dataset load_dataset(const DataRequest &request) {
  Source source = read_source(request);
  if (source.queries.rows == 0) {
    if (source.rows.rows < 2 * request.queries)
      throw std::runtime_error("too few rows for queries");
    take(source.rows, request.queries, source.queries);
  }
  truncate(source.queries, request.queries);
  if (source.queries.dims != source.rows.dims) {
    throw std::runtime_error(source.name + ": queries have " + std::to_string(source.queries.dims) +
                             " dimensions, rows " + std::to_string(source.rows.dims));
  }
  if (source.rows.rows < request.held + 1000) {
    throw std::runtime_error(source.name + ": " + std::to_string(source.rows.rows) +
                             " rows are too few to hold " + std::to_string(request.held) + " back");
  }
  Dataset data{source.name, source.metric, request.held, {}, std::move(source.queries)};
  if (!request.metric.empty()) data.metric = parse_metric(request.metric);
  take(source.rows, request.held, data.base);
  if (request.rows != 0) truncate(source.rows, request.rows);
  data.base.values.insert(data.base.values.end(), source.rows.values.begin(),
                          source.rows.values.end());
  data.base.rows += source.rows.rows;
  return data;
}

}  // namespace vann::bench

// read_hdf5.cpp — data sets of ann-benchmarks files; only an error message without libhdf5.
#include "bench/data/bytes.hpp"
#include "bench/data/readers.hpp"

#ifndef VANN_HAVE_HDF5

namespace vann::bench {

Matrix read_hdf5(const std::string &path, const std::string &, size_t) {
  refuse(path, "needs HDF5, which was not found when this program was built (libhdf5-dev)");
}

std::string read_hdf5_distance(const std::string &path) { return read_hdf5(path, "", 0), ""; }

}  // namespace vann::bench

#else

#include <algorithm>
#include <hdf5.h>

namespace vann::bench {
namespace {

// An identifier of the library's, closed at the end of the scope.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string &path, const std::string &what)
      : id_(id), close_(close) {
    if (id < 0) refuse(path, "has no readable " + what);
  }
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;
  ~Handle() { close_(id_); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

hid_t open_file(const std::string &path) {
  file_bytes(path);                             // refuses a missing file by its name
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are told by exceptions
  return H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
}

}  // namespace

Matrix read_hdf5(const std::string &path, const std::string &name, size_t limit) {
  const Handle file(open_file(path), H5Fclose, path, "HDF5 content");
  const Handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, path,
                   "data set '" + name + "'");
  const Handle space(H5Dget_space(set), H5Sclose, path, "extent");
  hsize_t extent[2];
  if (H5Sget_simple_extent_ndims(space) != 2 ||
      H5Sget_simple_extent_dims(space, extent, nullptr) != 2) {
    refuse(path, "data set '" + name + "' does not have two axes");
  }
  extent[0] = std::min<hsize_t>(extent[0], limit);
  Matrix matrix{extent[0], extent[1], std::vector<float>(extent[0] * extent[1])};
  const hsize_t first[2] = {0, 0};
  const Handle memory(H5Screate_simple(2, extent, nullptr), H5Sclose, path, "extent");
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, first, nullptr, extent, nullptr) < 0 ||
      H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, matrix.values.data()) < 0) {
    refuse(path, "data set '" + name + "' cannot be read as floats");
  }
  return matrix;
}

std::string read_hdf5_distance(const std::string &path) {
  const Handle file(open_file(path), H5Fclose, path, "HDF5 content");
  if (H5Aexists(file, "distance") <= 0) return "";
  const Handle attribute(H5Aopen(file, "distance", H5P_DEFAULT), H5Aclose, path, "distance");
  const Handle type(H5Aget_type(attribute), H5Tclose, path, "distance");
  if (H5Tis_variable_str(type) > 0) {
    char *text = nullptr;
    if (H5Aread(attribute, type, &text) < 0 || text == nullptr) return "";
    const std::string distance = text;
    H5free_memory(text);
    return distance;
  }
  std::string text(H5Tget_size(type), '\0');
  if (H5Aread(attribute, type, text.data()) < 0) return "";
  return text.c_str();
}

}  // namespace vann::bench

#endif

// faiss_version.hpp — of the header that the program was compiled with.
#pragma once

#include <string>

#include <faiss/Index.h>

namespace vann::bench {

inline std::string faiss_version() {
  return std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) + "." +
         std::to_string(FAISS_VERSION_PATCH);
}

}  // namespace vann::bench

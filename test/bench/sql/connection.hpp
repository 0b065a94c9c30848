// connection.hpp — libpq with exceptions. One connection is one backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "dataset.hpp"

namespace vann::bench {

class Connection {
 public:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

  // Throws std::runtime_error with the server's message, as every member does.
  explicit Connection(const std::string &conninfo);

  Result run(const std::string &sql);
  // First column of the first row; empty where there is none.
  std::string value(const std::string &sql);
  // Rows [first, last) into table(id bigint, v vector) by COPY BINARY; id is the row's number.
  void copy_rows(const std::string &table, const Matrix &matrix, size_t first, size_t last);

 private:
  void check(bool ok) const;
  void put(const std::string &bytes);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// "{1,2,3}" as numbers.
std::vector<int64_t> parse_array(const char *text);

}  // namespace vann::bench

// connection.hpp — libpq with exceptions. One connection is one backend.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace vann::bench {

class Connection {
 public:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

  // Throws std::runtime_error with the server's message, as every member does.
  explicit Connection(const std::string &conninfo);

  Result run(const std::string &sql);
  // First column of the first row; empty where there is none.
  std::string value(const std::string &sql);
  double number(const std::string &sql) { return std::stod(value(sql)); }
  // Seconds of a statement, from here.
  double seconds(const std::string &sql);
  // A statement with one parameter, a vector in its binary form. Parameters are typed by their use.
  void prepare(const std::string &name, const std::string &sql);
  Result execute(const std::string &name, const float *vector, size_t dims);
  int backend_pid() const { return PQbackendPID(connection_.get()); }

 private:
  friend class Copy;
  void check(bool ok) const;
  Result checked(PGresult *result, const std::string &sql) const;

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::string buffer_;  // of a parameter
};

// COPY ... FROM STDIN in PostgreSQL's binary format, row by row.
class Copy {
 public:
  // `target`: table and columns, "t (a, b)".
  Copy(Connection &connection, const std::string &target);
  Copy &row(uint16_t columns);
  Copy &add(int32_t value);
  Copy &add(int64_t value);
  Copy &add(const float *vector, size_t dims);
  void finish();

 private:
  void flush();

  Connection &connection_;
  std::string bytes_;
};

// "{1,2,3}" as numbers.
std::vector<int64_t> parse_array(const char *text);

}  // namespace vann::bench

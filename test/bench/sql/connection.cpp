// connection.cpp — queries, and COPY in PostgreSQL's binary format.
#include "connection.hpp"

#include <bit>
#include <cstdlib>
#include <stdexcept>

namespace vann::bench {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

template <typename T>
void append_big_endian(std::string &bytes, T value) {
  for (size_t i = sizeof(T); i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

// Fields of (bigint, vector): count, then length and value of each. A vector is sent as its
// dimensions, a reserved word and the values.
void append_tuple(std::string &bytes, uint64_t id, const float *values, size_t dims) {
  append_big_endian(bytes, uint16_t{2});
  append_big_endian(bytes, uint32_t{8});
  append_big_endian(bytes, id);
  append_big_endian(bytes, static_cast<uint32_t>(4 + 4 * dims));
  append_big_endian(bytes, static_cast<uint16_t>(dims));
  append_big_endian(bytes, uint16_t{0});
  for (size_t i = 0; i < dims; ++i) append_big_endian(bytes, std::bit_cast<uint32_t>(values[i]));
}

}  // namespace

Connection::Connection(const std::string &conninfo)
    : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
  check(PQstatus(connection_.get()) == CONNECTION_OK);
}

void Connection::check(bool ok) const {
  if (!ok) throw std::runtime_error(PQerrorMessage(connection_.get()));
}

Connection::Result Connection::run(const std::string &sql) {
  Result result(PQexec(connection_.get(), sql.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
    throw std::runtime_error(std::string(PQresultErrorMessage(result.get())) + "in: " + sql);
  }
  return result;
}

std::string Connection::value(const std::string &sql) {
  const Result result = run(sql);
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

void Connection::put(const std::string &bytes) {
  check(PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) == 1);
}

void Connection::copy_rows(const std::string &table, const Matrix &matrix, size_t first,
                           size_t last) {
  run("COPY " + table + " (id, v) FROM STDIN (FORMAT binary)");
  std::string bytes("PGCOPY\n\377\r\n\0", 11);
  append_big_endian(bytes, uint32_t{0});  // flags
  append_big_endian(bytes, uint32_t{0});  // length of the header's extension
  for (size_t i = first; i < last; ++i) {
    append_tuple(bytes, i, matrix.row(i), matrix.dims);
    if (bytes.size() < kFlushBytes) continue;
    put(bytes);
    bytes.clear();
  }
  append_big_endian(bytes, uint16_t{0xffff});
  put(bytes);
  check(PQputCopyEnd(connection_.get(), nullptr) == 1);
  const Result result(PQgetResult(connection_.get()), PQclear);
  check(PQresultStatus(result.get()) == PGRES_COMMAND_OK);
  check(PQgetResult(connection_.get()) == nullptr);
}

std::vector<int64_t> parse_array(const char *text) {
  std::vector<int64_t> numbers;
  while (*text == '{' || *text == ',') {
    char *end;
    const int64_t number = std::strtoll(text + 1, &end, 10);
    if (end == text + 1) break;
    numbers.push_back(number);
    text = end;
  }
  return numbers;
}

}  // namespace vann::bench

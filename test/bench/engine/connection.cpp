// connection.cpp — queries, and COPY in PostgreSQL's binary format.
#include "bench/engine/connection.hpp"

#include <bit>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace vann::bench {
namespace {

constexpr size_t kFlushBytes = 1 << 20;

template <typename T>
void append_big_endian(std::string &bytes, T value) {
  for (size_t i = sizeof(T); i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

// A vector's binary form: dimensions, a reserved word, the values.
void append_vector(std::string &bytes, const float *values, size_t dims) {
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

Connection::Result Connection::checked(PGresult *pointer, const std::string &sql) const {
  Result result(pointer, PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
    throw std::runtime_error(std::string(PQerrorMessage(connection_.get())) + "in: " + sql);
  }
  return result;
}

Connection::Result Connection::run(const std::string &sql) {
  return checked(PQexec(connection_.get(), sql.c_str()), sql);
}

std::string Connection::value(const std::string &sql) {
  const Result result = run(sql);
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

double Connection::seconds(const std::string &sql) {
  const auto started = std::chrono::steady_clock::now();
  run(sql);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

void Connection::prepare(const std::string &name, const std::string &sql) {
  checked(PQprepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr), sql);
}

Connection::Result Connection::execute(const std::string &name, const float *vector, size_t dims) {
  buffer_.clear();
  append_vector(buffer_, vector, dims);
  const char *value = buffer_.data();
  const int length = static_cast<int>(buffer_.size());
  const int binary = 1;
  return checked(
      PQexecPrepared(connection_.get(), name.c_str(), 1, &value, &length, &binary, binary), name);
}

Copy::Copy(Connection &connection, const std::string &target) : connection_(connection) {
  connection.run("COPY " + target + " FROM STDIN (FORMAT binary)");
  bytes_.assign("PGCOPY\n\377\r\n\0", 11);
  append_big_endian(bytes_, uint32_t{0});  // flags
  append_big_endian(bytes_, uint32_t{0});  // length of the header's extension
}

void Copy::flush() {
  connection_.check(PQputCopyData(connection_.connection_.get(), bytes_.data(),
                                  static_cast<int>(bytes_.size())) == 1);
  bytes_.clear();
}

Copy &Copy::row(uint16_t columns) {
  if (bytes_.size() >= kFlushBytes) flush();
  append_big_endian(bytes_, columns);
  return *this;
}

Copy &Copy::add(int32_t value) {
  append_big_endian(bytes_, uint32_t{sizeof value});
  append_big_endian(bytes_, value);
  return *this;
}

Copy &Copy::add(int64_t value) {
  append_big_endian(bytes_, uint32_t{sizeof value});
  append_big_endian(bytes_, value);
  return *this;
}

Copy &Copy::add(const float *vector, size_t dims) {
  append_big_endian(bytes_, static_cast<uint32_t>(4 + 4 * dims));
  append_vector(bytes_, vector, dims);
  return *this;
}

void Copy::finish() {
  append_big_endian(bytes_, uint16_t{0xffff});
  flush();
  PGconn *connection = connection_.connection_.get();
  connection_.check(PQputCopyEnd(connection, nullptr) == 1);
  connection_.checked(PQgetResult(connection), "COPY");
  connection_.check(PQgetResult(connection) == nullptr);
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

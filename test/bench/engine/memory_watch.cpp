// memory_watch.cpp — reads /proc/PID/status and /proc/PID/maps.
#include "bench/engine/memory_watch.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <set>
#include <string>

#include <sys/stat.h>

namespace vann::bench {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(4);
// Processes come and go rarely; asking for them costs the server a query.
constexpr int kSamplesPerList = 16;

std::string proc(int pid, const char *file) { return "/proc/" + std::to_string(pid) + "/" + file; }

void collect_segments(int pid, std::set<std::string> &paths) {
  std::ifstream maps(proc(pid, "maps"));
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find("/dev/shm/PostgreSQL.");
    if (path != std::string::npos) paths.insert(line.substr(path));
  }
}

size_t allocated_bytes(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? static_cast<size_t>(status.st_blocks) * 512 : 0;
}

}  // namespace

size_t anonymous_bytes(int pid) {
  std::ifstream status(proc(pid, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
  }
  return 0;
}

MemoryWatch::MemoryWatch(std::function<std::vector<int>()> processes)
    : processes_(std::move(processes)), thread_([this] {
        std::vector<int> pids;
        for (int i = 0; !stopping_; ++i) {
          const bool list = i % kSamplesPerList == 0;
          try {
            if (list) pids = processes_();
            sample(pids, list);
          } catch (const std::exception &) {
          }
          std::this_thread::sleep_for(kInterval);
        }
      }) {}

void MemoryWatch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void MemoryWatch::sample(const std::vector<int> &pids, bool segments) {
  size_t bytes = 0;
  for (const int pid : pids) bytes += anonymous_bytes(pid);
  private_bytes_ = std::max(private_bytes_, bytes);
  if (!segments) return;
  std::set<std::string> paths;
  for (const int pid : pids) collect_segments(pid, paths);
  bytes = 0;
  for (const std::string &path : paths) bytes += allocated_bytes(path);
  segment_bytes_ = std::max(segment_bytes_, bytes);
}

}  // namespace vann::bench

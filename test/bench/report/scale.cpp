// scale.cpp — round numbers.
#include "bench/report/scale.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vann::bench {
namespace {

constexpr double kLeastMissing = 1e-4;
constexpr size_t kFewTicks = 4;
constexpr size_t kManyTicks = 12;

// 1, 2 or 5 times a power of ten: about a fifth of the span.
double round_step(double span) {
  const double raw = span / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * 0.999) return factor * power;
  }
  return 10 * power;
}

}  // namespace

std::string short_number(double value) {
  const char *unit = "";
  if (std::fabs(value) >= 999'500) {
    value /= 1e6;
    unit = "M";
  } else if (std::fabs(value) >= 9'995) {
    value /= 1e3;
    unit = "k";
  }
  char text[32];
  snprintf(text, sizeof text, std::fabs(value) >= 1000 ? "%.0f" : "%.3g", value);
  return std::string(text) + unit;
}

Scale::Scale(ScaleKind kind, const std::vector<double> &values) : kind_(kind) {
  double low = INFINITY, high = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value) || (kind == ScaleKind::kLog && value <= 0)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) {
    low = kind == ScaleKind::kLog ? 1 : 0;
    high = kind == ScaleKind::kRecall ? 1 : 10;
  }
  if (kind == ScaleKind::kLinear) choose_linear(low, high);
  if (kind == ScaleKind::kLog) choose_log(low, high);
  if (kind == ScaleKind::kRecall) choose_recall(low, high);
}

double Scale::transform(double value) const {
  if (kind_ == ScaleKind::kLog) return std::log10(std::max(value, 1e-300));
  if (kind_ == ScaleKind::kRecall) return -std::log10(std::max(1 - value, kLeastMissing));
  return value;
}

double Scale::position(double value) const {
  return std::clamp((transform(value) - start_) / (end_ - start_), 0.0, 1.0);
}

void Scale::choose_linear(double low, double high) {
  if (low == high) high = low + std::max(1.0, std::fabs(low));
  const double step = round_step(high - low);
  const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double i = first; i <= last; ++i) ticks_.push_back({i * step, short_number(i * step)});
  start_ = first * step;
  end_ = last * step;
}

void Scale::choose_log(double low, double high) {
  for (const auto &factors : {std::vector<double>{1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 6, 8}}) {
    std::vector<double> numbers;
    for (double power = std::floor(std::log10(low)) - 1; power <= std::log10(high) + 2; ++power) {
      for (const double factor : factors) numbers.push_back(factor * std::pow(10, power));
    }
    // From the last number that is not above the lowest value to the first not below the highest.
    auto first = std::upper_bound(numbers.begin(), numbers.end(), low * (1 + 1e-9)) - 1;
    auto last = std::lower_bound(numbers.begin(), numbers.end(), high * (1 - 1e-9));
    if (first == last) ++last;
    ticks_.clear();
    for (; first <= last; ++first) ticks_.push_back({*first, short_number(*first)});
    if (ticks_.size() >= kFewTicks) break;
  }
  start_ = transform(ticks_.front().value);
  end_ = transform(ticks_.back().value);
  if (ticks_.size() <= kManyTicks) return;
  std::erase_if(ticks_, [](const Tick &tick) {
    const double power = std::log10(tick.value);
    return std::fabs(power - std::round(power)) > 1e-9;
  });
}

void Scale::choose_recall(double low, double high) {
  const double marks[] = {
      0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1 - kLeastMissing};
  const size_t n = std::size(marks);
  size_t first = 0, last = n - 1;
  while (first + 2 < n && marks[first + 1] <= low) ++first;
  while (last > first + 1 && marks[last - 1] >= high) --last;
  for (size_t i = first; i <= last; ++i) {
    char label[16];
    snprintf(label, sizeof label, "%.4g", marks[i]);
    ticks_.push_back({marks[i], marks[i] > 0.9995 ? "1" : label});
  }
  start_ = transform(marks[first]);
  end_ = transform(marks[last]);
}

}  // namespace vann::bench

// measures.cpp — the list.
#include "bench/measure/measures.hpp"

namespace vann::bench {

const std::vector<Measure> &all_measures() {
  static const std::vector<Measure> measures = {
      {"build", measure_build},     {"search", measure_search}, {"filter", measure_filter},
      {"clients", measure_clients}, {"change", measure_change}, {"churn", measure_churn},
      {"drift", measure_drift},     {"cold", measure_cold},     {"budget", measure_budget}};
  return measures;
}

}  // namespace vann::bench

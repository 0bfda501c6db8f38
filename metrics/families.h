#pragma once

#include <absl/strings/string_view.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// Makes series of values that are looked up when they are asked for, family after family.
class Families {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  void Begin(prometheus::MetricType type, absl::string_view name, absl::string_view help) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = std::string(name);
    family.help = std::string(help);
    family.type = type;
  }

  // Of the family begun last, which is of counters or gauges.
  void Add(double value, const Labels& labels = {}) {
    prometheus::ClientMetric& metric = Next(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
  }
  // Of the family begun last, which is of summaries.
  void AddSummary(uint64_t count, double sum, const Labels& labels) {
    prometheus::ClientMetric& metric = Next(labels);
    metric.summary.sample_count = count;
    metric.summary.sample_sum = sum;
  }

  void Gauge(absl::string_view name, absl::string_view help, double value) {
    Begin(prometheus::MetricType::Gauge, name, help);
    Add(value);
  }
  void Counter(absl::string_view name, absl::string_view help, double value) {
    Begin(prometheus::MetricType::Counter, name, help);
    Add(value);
  }

  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& Next(const Labels& labels) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

// Since the epoch.
inline double ToSeconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace idv

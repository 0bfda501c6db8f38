#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/stage.h"

namespace idv::bench::storm {

// Where the programs are that take part, and for which plan.
struct Programs {
  std::string gateway;
  std::string go_proxy;
  // Why there is no Go proxy; empty: there is one.
  std::string without_go;
  std::string plan;
};

// A contender that runs, with its files.
struct Running {
  e2e::TempDir directory;
  std::unique_ptr<Listener> listener;
};

inline constexpr char kGateway[] = "gateway";
inline constexpr char kGatewayOff[] = "gateway, off";
inline constexpr char kGo[] = "go";

// In the order of the report.
inline std::vector<std::string> ContenderNames() { return {kGateway, kGatewayOff, kGo}; }

// Why a contender cannot take part; empty: it can.
std::string WhyNot(const std::string& name, const Programs& programs);

// Starts a contender in front of an upstream ("http://HOST:PORT").
std::unique_ptr<Running> Start(const std::string& name, const Programs& programs,
                               const std::string& upstream);

}  // namespace idv::bench::storm

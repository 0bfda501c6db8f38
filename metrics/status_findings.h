#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv {

// What the document of /statusz says is wrong, each put down to whoever must act. Sentences, not
// escaped.
struct Findings {
  // Wrong at this moment.
  std::vector<std::string> trouble;
  // Calls that failed within the last five minutes: one may be chance.
  std::vector<std::string> lately;
};

struct StatusFindings {
  Findings us;
  Findings vendor;
  Findings caller;
};

StatusFindings FindingsIn(const nlohmann::json& status);

// Whether something of it is wrong at this moment.
bool IsTroubled(const nlohmann::json& tenant);

bool HasUnusableKey(const nlohmann::json& tenant);

// Nothing is left of the minute's allowance, and calls wait for more.
bool IsShortOfBudget(const nlohmann::json& tenant);

// "read open", "write half open".
std::vector<std::string> BreakersNotClosed(const nlohmann::json& tenant);

// Within fourteen days, or already.
bool ExpiresSoon(const nlohmann::json& certificate, const nlohmann::json& now);

}  // namespace idv

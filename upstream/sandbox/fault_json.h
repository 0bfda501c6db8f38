#ifndef UPSTREAM_SANDBOX_FAULT_JSON_H_
#define UPSTREAM_SANDBOX_FAULT_JSON_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "upstream/sandbox/faults.h"
#include "upstream/sandbox/json.h"

namespace idv::sandbox {

// A fault as README.md describes it: {"kind": "latency", "milliseconds": 200, "times": 3}. Or all
// that is wrong with it in one text. One with a probability and without a seed gets a seed.
std::variant<Fault, std::string> ParseFault(const Json& json);
std::variant<Fault, std::string> ParseFaultText(std::string_view json);

// {faults: [...]} in YAML, each as in JSON. Or all that is wrong with it, one problem an entry.
std::variant<std::vector<Fault>, std::vector<std::string>> ParseFaultFile(const std::string& yaml);

// What ParseFault() takes, and the id.
Json FaultJson(const Fault& fault);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_FAULT_JSON_H_

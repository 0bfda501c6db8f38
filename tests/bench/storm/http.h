#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace idv::bench::storm {

struct HttpAnswer {
  long status = 0;
  nlohmann::json body;  // discarded, in the library's sense, when it is no JSON
};

// Sends one request and waits for its answer. `headers`: "Name: value". Throws Broken without one.
HttpAnswer SendHttp(const std::string& method, const std::string& url, const std::string& body = "",
                    const std::vector<std::string>& headers = {});

}  // namespace idv::bench::storm

#ifndef UPSTREAM_SANDBOX_JSON_H_
#define UPSTREAM_SANDBOX_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace idv::sandbox {

// Keeps members in the order they were added, so that answers read like the documentation.
using Json = nlohmann::ordered_json;

// Bytes that are no UTF-8 (a header value, say) become U+FFFD instead of an exception.
inline std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_JSON_H_

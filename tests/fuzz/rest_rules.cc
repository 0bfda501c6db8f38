#include "tests/fuzz/rest_rules.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include <google/api/annotations.pb.h>

namespace idv::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::StrContains("-._~", absl::string_view(&c, 1));
}

// Nothing for what is not percent-encoded as it should be.
std::optional<std::string> PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!IsUnreserved(text[i])) return std::nullopt;
      decoded.push_back(text[i]);
      continue;
    }
    const std::string hex(text.substr(i + 1, 2));
    if (hex.size() != 2 || hex.find_first_not_of("0123456789ABCDEF") != std::string::npos) {
      return std::nullopt;
    }
    decoded.push_back(static_cast<char>(std::stoi(hex, nullptr, 16)));
    i += 2;
  }
  return decoded;
}

std::string TemplateOf(const Route& route) {
  const auto& rule = route.method().options().GetExtension(google::api::http);
  for (const std::string& path :
       {rule.get(), rule.post(), rule.put(), rule.patch(), rule.delete_()}) {
    if (!path.empty()) return path;
  }
  return "";
}

std::string CheckSegment(absl::string_view segment, absl::string_view in_template,
                         const Message& message) {
  const auto decoded = PercentDecoded(segment);
  if (!decoded) return "a segment of the path is not encoded";
  if (decoded->empty() || *decoded == "." || *decoded == "..") return "an empty or dot segment";
  if (!absl::StartsWith(in_template, "{")) {
    return segment == in_template ? "" : "a segment of the path is not the template's";
  }
  const std::string name(in_template.substr(1, in_template.size() - 2));
  const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->type() != FieldDescriptor::TYPE_STRING) return "";
  return message.GetReflection()->GetString(message, field) == *decoded
             ? ""
             : "a segment of the path is not the field's value";
}

std::string CheckQuery(absl::string_view query) {
  std::set<absl::string_view> names;
  for (const absl::string_view parameter : absl::StrSplit(query, '&')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(parameter, '=');
    if (parts.size() != 2) return "a parameter of the query without value, or with several";
    for (const absl::string_view part : parts) {
      const auto decoded = PercentDecoded(part);
      if (!decoded || decoded->empty()) return "a parameter of the query is not encoded, or empty";
    }
    if (!names.insert(parts[0]).second) return "a parameter of the query comes twice";
  }
  return "";
}

std::string CheckTarget(const Route& route, const Message& message, absl::string_view target) {
  if (!absl::StartsWith(target, "/") || target.size() > 8000) return "no path, or a long one";
  const size_t path_end = std::min(target.find('?'), target.size());
  const std::vector<absl::string_view> segments =
      absl::StrSplit(target.substr(1, path_end - 1), '/');
  const std::string path_template = TemplateOf(route);
  const std::vector<absl::string_view> expected =
      absl::StrSplit(absl::string_view(path_template).substr(1), '/');
  if (segments.size() != expected.size()) return "the path has not the template's segments";
  for (size_t i = 0; i < segments.size(); ++i) {
    std::string broken = CheckSegment(segments[i], expected[i], message);
    if (!broken.empty()) return broken;
  }
  return path_end == target.size() ? "" : CheckQuery(target.substr(path_end + 1));
}

std::string CheckHeader(absl::string_view name, absl::string_view value) {
  const auto is_of_a_name = [](char c) {  // RFC 9110, 5.6.2
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("!#$%&'*+-.^_`|~", absl::string_view(&c, 1));
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_of_a_name)) {
    return "a header's name is none";
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  if (!printable || value.empty()) return "a header's value is empty or not printable";
  return absl::StripAsciiWhitespace(value) == value ? "" : "a header's value has blanks around it";
}

std::string CheckBody(const Message& message, RequestBody& body) {
  const std::string text = ReadBody(body);
  if (text.size() != body.size()) return "the body has not the size that it said";
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::StrCat("the body is no JSON object: ", text);
  std::set<std::string> known;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    known.insert(message.GetDescriptor()->field(i)->json_name());
  }
  for (const auto& [key, value] : json.items()) {
    if (!known.contains(key)) return absl::StrCat("the body has the unknown key ", key);
  }
  return "";
}

}  // namespace

std::string ReadBody(RequestBody& body) {
  constexpr std::array<size_t, 8> kPieces = {1, 2, 3, 5, 64, 7, 4096, 11};
  std::string text;
  for (size_t i = 0;; ++i) {
    std::string piece(kPieces[i % kPieces.size()], '\0');
    const size_t read = body.Read(piece.data(), piece.size());
    if (read > piece.size()) return "";
    if (read == 0) return text;
    text.append(piece, 0, read);
  }
}

std::string CheckRest(const Route& route, const Message& message, const RestRequest& request) {
  std::string broken = CheckTarget(route, message, request.target);
  for (const auto& [name, value] : request.headers) {
    if (broken.empty()) broken = CheckHeader(name, value);
  }
  if (!broken.empty()) return broken;
  if ((request.body == nullptr) != (request.verb == "GET")) return "a GET with a body, or no body";
  return request.body == nullptr ? "" : CheckBody(message, *request.body);
}

}  // namespace idv::fuzz

#include "upstream/sandbox/spoiling.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

#include "upstream/sandbox/json.h"

namespace idv::sandbox {
namespace {

// Keys whose values are words of the vendor's choice.
constexpr std::array<std::string_view, 11> kEnumKeys = {
    "status", "decision",    "tier",          "severity",  "alertType",   "type",
    "region", "matchResult", "challengeType", "imageType", "documentType"};

// Calls `change` for each value that holds no others, with its key.
template <typename Change>
void EachLeaf(Json& json, std::string_view key, Change change) {
  if (json.is_object()) {
    for (const auto& item : json.items()) EachLeaf(item.value(), item.key(), change);
  } else if (json.is_array()) {
    for (Json& item : json) EachLeaf(item, key, change);
  } else {
    change(json, key);
  }
}

// To one that no tolerance makes fit.
void ChangeType(Json& leaf, std::string_view) {
  if (leaf.is_string()) {
    leaf = Json::array({7});
  } else if (leaf.is_number()) {
    leaf = "many";
  } else {
    leaf = Json::object();
  }
}

void ChangeEnum(Json& leaf, std::string_view key) {
  const bool is_enum = std::find(kEnumKeys.begin(), kEnumKeys.end(), key) != kEnumKeys.end();
  if (is_enum && leaf.is_string()) leaf = "not_heard_of_yet";
}

void AddKeys(Json& json) {
  if (json.is_array()) {
    for (Json& item : json) AddKeys(item);
  }
  if (!json.is_object()) return;
  for (const auto& item : json.items()) AddKeys(item.value());
  json["notHeardOfYet"] = {{"list", {1, "two", nullptr, true}}};
}

void SpoilJson(const FaultPlan& plan, Response& response) {
  Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (plan.Find(FaultKind::kWrongTypes) != nullptr) EachLeaf(json, "", ChangeType);
  if (plan.Find(FaultKind::kUnknownEnums) != nullptr) EachLeaf(json, "", ChangeEnum);
  if (plan.Find(FaultKind::kUnknownKeys) != nullptr) AddKeys(json);
  response.body = Dump(json);
}

// Headers of this size together, none of them large.
void AddLargeHeader(std::uint64_t bytes, Response& response) {
  constexpr std::uint64_t kEach = 1000;
  for (std::uint64_t added = 0; added < bytes; added += kEach) {
    response.headers.emplace_back("X-Large", std::string(std::min(kEach, bytes - added), 'x'));
  }
}

void AppendLittleEndian(std::uint32_t number, std::string& text) {
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift);
}

// 1 MiB of spaces as deflated data that ends at a byte and refers to nothing before it (RFC 1951).
std::string DeflatedMebibyte(const std::string& plain) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("zlib cannot deflate");
  }
  std::string deflated(deflateBound(&stream, plain.size()), '\0');
  // zlib takes what it only reads as if it were to write it.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(deflated.data());
  stream.avail_out = static_cast<uInt>(deflated.size());
  deflate(&stream, Z_FULL_FLUSH);
  deflated.resize(stream.total_out);
  deflateEnd(&stream);
  return deflated;
}

// Spaces of that size, in whole mebibytes (RFC 1952).
std::string GzipBomb(std::uint64_t bytes) {
  constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  constexpr std::string_view kEnd("\x03\x00", 2);  // an empty last block
  const std::string plain(1 << 20, ' ');
  const std::string deflated = DeflatedMebibyte(plain);
  const uLong crc_of_one = crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  const std::uint64_t count = (bytes + plain.size() - 1) / plain.size();

  std::string bomb(kHeader);
  bomb.reserve(kHeader.size() + deflated.size() * count + 16);
  uLong crc = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    bomb += deflated;
    crc = crc32_combine(crc, crc_of_one, static_cast<z_off_t>(plain.size()));
  }
  bomb += kEnd;
  AppendLittleEndian(static_cast<std::uint32_t>(crc), bomb);
  AppendLittleEndian(static_cast<std::uint32_t>(count * plain.size()), bomb);
  return bomb;
}

}  // namespace

void Spoil(const FaultPlan& plan, Response& response) {
  const bool changes_json = plan.Find(FaultKind::kWrongTypes) != nullptr ||
                            plan.Find(FaultKind::kUnknownEnums) != nullptr ||
                            plan.Find(FaultKind::kUnknownKeys) != nullptr;
  if (changes_json) SpoilJson(plan, response);
  if (plan.Find(FaultKind::kHalfJson) != nullptr) {
    response.body.resize(response.body.size() / 2);
  }
  if (plan.Find(FaultKind::kHtml) != nullptr) {
    response.status = 200;
    response.content_type = "text/html; charset=utf-8";
    response.body = "<!doctype html>\n<html><body><h1>Please sign in</h1></body></html>\n";
  }
  if (const Fault* const bomb = plan.Find(FaultKind::kGzipBomb)) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = GzipBomb(bomb->bytes);
  }
  if (const Fault* const large = plan.Find(FaultKind::kLargeHeader)) {
    AddLargeHeader(large->bytes, response);
  }
}

}  // namespace idv::sandbox

#include "upstream/sandbox/zip.h"

#include <zlib.h>

#include <cstdint>

namespace idv::sandbox {
namespace {

constexpr std::uint16_t kVersion = 20;
// 1980-01-01, the first day there is; nothing here depends on when it was made.
constexpr std::uint16_t kDate = (1 << 5) | 1;

void Add16(std::string& bytes, std::size_t value) {
  bytes += static_cast<char>(value & 0xFF);
  bytes += static_cast<char>(value >> 8 & 0xFF);
}

void Add32(std::string& bytes, std::size_t value) {
  Add16(bytes, value);
  Add16(bytes, value >> 16);
}

// What the local and the central header of an entry have in common.
void AddDescription(std::string& bytes, const ZipEntry& entry) {
  const auto* const content = reinterpret_cast<const Bytef*>(entry.content.data());
  Add16(bytes, kVersion);
  Add16(bytes, 0);  // flags
  Add16(bytes, 0);  // stored
  Add16(bytes, 0);  // time
  Add16(bytes, kDate);
  Add32(bytes, crc32_z(0, content, entry.content.size()));
  Add32(bytes, entry.content.size());  // compressed
  Add32(bytes, entry.content.size());
  Add16(bytes, entry.name.size());
  Add16(bytes, 0);  // extra field
}

}  // namespace

std::string Zip(const std::vector<ZipEntry>& entries) {
  std::string bytes;
  std::string directory;
  for (const ZipEntry& entry : entries) {
    directory += "PK\x01\x02";
    Add16(directory, kVersion);  // made by
    AddDescription(directory, entry);
    Add16(directory, 0);  // comment
    Add16(directory, 0);  // disk
    Add16(directory, 0);  // internal attributes
    Add32(directory, 0);  // external attributes
    Add32(directory, bytes.size());
    directory += entry.name;

    bytes += "PK\x03\x04";
    AddDescription(bytes, entry);
    bytes += entry.name;
    bytes += entry.content;
  }
  const std::size_t directory_at = bytes.size();
  bytes += directory;
  bytes += "PK\x05\x06";
  Add32(bytes, 0);  // disks
  Add16(bytes, entries.size());
  Add16(bytes, entries.size());
  Add32(bytes, directory.size());
  Add32(bytes, directory_at);
  Add16(bytes, 0);  // comment
  return bytes;
}

}  // namespace idv::sandbox

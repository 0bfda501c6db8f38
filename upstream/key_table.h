#pragma once

#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace idv {

// Finds what belongs to a key among a few dozens of short ones that are known from the start: JSON
// keys. It looks at no more of a key than its length and its ends until it compares, which takes a
// third of a general hash map's time. Immutable once it is filled.
template <typename Value>
class KeyTable {
 public:
  // False, and nothing changes, if the key is there already.
  bool Insert(absl::string_view key, Value value) {
    if (Find(key) != nullptr) return false;
    entries_.push_back({std::string(key), std::move(value)});
    if (places_.size() < 4 * entries_.size()) return Rebuild();
    Place(entries_.size() - 1);
    return true;
  }

  // Null: no such key.
  const Value* Find(absl::string_view key) const {
    if (places_.empty()) return nullptr;
    for (size_t at = Hash(key) & (places_.size() - 1);; at = (at + 1) & (places_.size() - 1)) {
      if (places_[at] == kFree) return nullptr;
      const Entry& entry = entries_[places_[at]];
      if (entry.key == key) return &entry.value;
    }
  }

  struct Entry {
    std::string key;
    Value value;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;

  template <typename Word>
  static uint64_t Load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }

  static size_t Hash(absl::string_view key) {
    const char* const begin = key.data();
    const char* const end = begin + key.size();
    uint64_t ends = 0;
    if (key.size() >= 8) {
      ends = Load<uint64_t>(begin) ^ (Load<uint64_t>(end - 8) * 0x9E3779B97F4A7C15);
    } else if (key.size() >= 4) {
      ends = Load<uint32_t>(begin) | Load<uint32_t>(end - 4) << 32;
    } else {
      for (const char c : key) ends = ends << 8 | static_cast<unsigned char>(c);
    }
    const uint64_t mixed = (ends ^ key.size()) * 0xD6E8FEB86659FD93;
    return static_cast<size_t>(mixed ^ mixed >> 32);
  }

  bool Rebuild() {
    places_.assign(places_.empty() ? 16 : 2 * places_.size(), kFree);
    for (size_t i = 0; i < entries_.size(); ++i) Place(i);
    return true;
  }

  void Place(size_t entry) {
    size_t at = Hash(entries_[entry].key) & (places_.size() - 1);
    while (places_[at] != kFree) at = (at + 1) & (places_.size() - 1);
    places_[at] = static_cast<uint32_t>(entry);
  }

  std::vector<Entry> entries_;
  std::vector<uint32_t> places_;  // of entries; a power of two, at most a quarter full
};

}  // namespace idv

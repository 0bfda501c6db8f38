#ifndef UPSTREAM_SANDBOX_JOURNAL_H_
#define UPSTREAM_SANDBOX_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "upstream/sandbox/store.h"

namespace idv::sandbox {

// Keeps the records of a store in a file, so that the next sandbox goes on with them: a JSON object
// a line, the last one of a record counts. What was written outlives the process, not the machine
// (no fsync). For one thread.
class Journal {
 public:
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  // Fills the store with what is in the file, if there is one, and writes the file anew with one
  // line a record. Or what is wrong: it cannot be read or written, is of another kind or broken, or
  // another sandbox uses it; then nothing of it was touched. A last line without an end, of a
  // process that died while it wrote, is left out.
  std::optional<std::string> Open(const std::string& file, Store& store);

  // These do nothing unless a file is open. What cannot be written is complained of on stderr.
  void Write(const Changes& changes);
  void Clear();

 private:
  std::optional<std::string> Load(const std::string& file, Store& store);
  std::optional<std::string> Replace(const std::string& file, const Store& store);
  bool Append(const std::string& text);

  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_JOURNAL_H_

#pragma once

#include <set>
#include <string>

namespace idv {

// A folder of the test's own, which goes with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }
  std::set<std::string> Names() const;

 private:
  std::string path_;
};

// "" if there is no such file.
std::string ContentOf(const std::string& path);
void WriteContent(const std::string& path, const std::string& content);

}  // namespace idv

#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tests/e2e/process.h"

namespace idv::e2e {

// Files that are replaced all at once, as Kubernetes does it with a mounted secret: they are links
// into `..data`, which is a link to a folder of their version.
class KeyDirectory {
 public:
  explicit KeyDirectory(const std::map<std::string, std::string>& files) {
    Replace(files);
    for (const auto& [name, text] : files) {
      std::filesystem::create_symlink("..data/" + name, Path(name));
    }
  }

  std::string Path(const std::string& name) const { return dir_.Path(name); }

  // The same names.
  void Replace(const std::map<std::string, std::string>& files) {
    namespace fs = std::filesystem;
    const std::string version = "..version_" + std::to_string(++version_);
    fs::create_directory(dir_.Path(version));
    for (const auto& [name, text] : files) dir_.Write(version + "/" + name, text);
    fs::create_directory_symlink(version, dir_.Path("..data_tmp"));
    fs::rename(dir_.Path("..data_tmp"), dir_.Path("..data"));
    fs::remove_all(dir_.Path("..version_" + std::to_string(version_ - 1)));
  }

 private:
  TempDir dir_;
  int version_ = 0;
};

}  // namespace idv::e2e

#ifndef UPSTREAM_SANDBOX_ZIP_H_
#define UPSTREAM_SANDBOX_ZIP_H_

#include <string>
#include <vector>

namespace idv::sandbox {

struct ZipEntry {
  std::string name;
  std::string content;
};

// An archive of uncompressed entries (PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16). For less
// than 65,536 entries and 4 GiB.
std::string Zip(const std::vector<ZipEntry>& entries);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_ZIP_H_

#ifndef UPSTREAM_SANDBOX_DOCUMENT_TYPES_H_
#define UPSTREAM_SANDBOX_DOCUMENT_TYPES_H_

#include <span>
#include <string_view>

namespace idv::sandbox {

struct DocumentType {
  std::string_view code;
  std::string_view name;
  std::string_view country;  // ISO 3166-1 alpha-2, or "INTL"
  bool has_mrz;
  bool requires_back;
};

struct Country {
  std::string_view code;
  std::string_view name;
  std::string_view region;
};

// The static list of upstream-api.md section 12 (the live one is longer) and its countries.
std::span<const DocumentType> DocumentTypes();
std::span<const Country> Countries();

// nullptr for a code that is not listed. Uploads accept those as well.
const DocumentType* FindDocumentType(std::string_view code);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_DOCUMENT_TYPES_H_

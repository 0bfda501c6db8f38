#ifndef UPSTREAM_SANDBOX_REPORT_H_
#define UPSTREAM_SANDBOX_REPORT_H_

#include <string>
#include <vector>

#include "upstream/sandbox/record.h"

namespace idv::sandbox {

// The compliance report of a verification that was decided (upstream-api.md section 14): a PDF of
// one page, made up: what the vendor's looks like is not known.
std::string ReportPdf(const Verification& verification);

// A ZIP archive with one such PDF for each.
std::string ReportsZip(const std::vector<const Verification*>& verifications);

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_REPORT_H_

#include "upstream/sandbox/report.h"

#include <array>
#include <cstdio>

#include "upstream/sandbox/zip.h"

namespace idv::sandbox {
namespace {

// A text in a page's content (ISO 32000-1 section 7.3.4.2); the font has printable ASCII only.
std::string Quote(std::string_view text) {
  std::string quoted = "(";
  for (const char c : text) {
    if (c == '(' || c == ')' || c == '\\') quoted += '\\';
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + ")";
}

std::string Score(double score) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f", score);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string PageOf(const Verification& verification) {
  const std::array<std::string, 6> lines = {
      "Verification " + verification.id,
      "Subject " + verification.request.external_id,
      "Status " + std::string(StatusName(verification.status)),
      "Decision " + verification.decision + ": " + verification.decision_reason,
      "Overall score " + Score(verification.outcome->scores.overall),
      "Submitted " + FormatTime(verification.submitted_at.value_or(verification.created_at))};
  std::string page = "BT /F1 18 Tf 72 760 Td (Compliance report: SPECIMEN) Tj /F1 11 Tf 0 -20 Td\n";
  for (const std::string& line : lines) page += "0 -18 Td " + Quote(line) + " Tj\n";
  return page + "ET";
}

// The parts of a PDF file (ISO 32000-1 section 7.5): objects, then where each of them begins.
std::string Pdf(const std::string& page) {
  const std::array<std::string, 5> objects = {
      "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
      "/Resources << /Font << /F1 5 0 R >> >> >>",
      "<< /Length " + std::to_string(page.size()) + " >>\nstream\n" + page + "\nendstream",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"};
  std::string file = "%PDF-1.4\n";
  std::string offsets = "0000000000 65535 f \n";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    std::array<char, 24> offset{};
    std::snprintf(offset.data(), offset.size(), "%010zu 00000 n \n", file.size());
    offsets += offset.data();
    file += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const std::string size = std::to_string(objects.size() + 1);
  const std::string begin = std::to_string(file.size());
  return file + "xref\n0 " + size + "\n" + offsets + "trailer\n<< /Size " + size +
         " /Root 1 0 R >>\nstartxref\n" + begin + "\n%%EOF\n";
}

}  // namespace

std::string ReportPdf(const Verification& verification) { return Pdf(PageOf(verification)); }

std::string ReportsZip(const std::vector<const Verification*>& verifications) {
  std::vector<ZipEntry> entries;
  entries.reserve(verifications.size());
  for (const Verification* const verification : verifications) {
    entries.push_back({verification->id + ".pdf", ReportPdf(*verification)});
  }
  return Zip(entries);
}

}  // namespace idv::sandbox

#pragma once

#include <cstddef>
#include <string>

namespace idv::verify {

// A foreign text as one line that is safe on a terminal: everything but printable ASCII is escaped.
std::string OneLine(const std::string& text);

// A score as people write it: one digit after the point.
std::string Score(double score);

// A number of bytes, as in "64 KiB", or "1500 bytes" where it is no multiple: exact.
std::string ExactSize(std::size_t bytes);
// The same with one digit after the point, as in "1.9 MiB".
std::string RoughSize(double bytes);

// Whether gRPC takes the text as a metadata value: printable ASCII, at least one character, no
// space at the ends.
bool FitsMetadata(const std::string& text);

}  // namespace idv::verify

#pragma once

#include <simdjson.h>

#include "upstream/wire_writer.h"

namespace idv {

// How deep free objects may be nested: a caller's protobuf library gives up beyond 100 messages,
// and a level takes three.
inline constexpr int kMaxObjectDepth = 30;

// Appends the fields of the google.protobuf.Struct that `json` is. False, and then nothing is
// appended: it is no object, or is nested deeper than kMaxObjectDepth.
bool AppendStruct(const simdjson::dom::element& json, WireWriter& wire);

}  // namespace idv

#pragma once

#include "metrics/families.h"

namespace idv {

// The series that Prometheus' client libraries have of their process, by their names, from /proc.
// What cannot be read there is left out.
void AddProcess(Families& families);

}  // namespace idv

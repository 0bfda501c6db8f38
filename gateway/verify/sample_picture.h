#pragma once

#include <string>

namespace idv::verify {

// A complete baseline JPEG: a grey square of 16 by 16 pixels. Enough for a sandbox, which looks at
// no picture; a real upstream wants a real one (--image).
std::string SamplePicture();

}  // namespace idv::verify

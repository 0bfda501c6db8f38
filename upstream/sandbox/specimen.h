#ifndef UPSTREAM_SANDBOX_SPECIMEN_H_
#define UPSTREAM_SANDBOX_SPECIMEN_H_

#include <string>

namespace idv::sandbox {

// A JPEG of 128 x 80 pixels: a card with a head and the word SPECIMEN.
std::string SpecimenJpeg();

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_SPECIMEN_H_

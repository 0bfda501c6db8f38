#pragma once

#include <chrono>
#include <optional>
#include <ostream>

#include "gateway/verify/report.h"

namespace idv::verify {

// One line on a terminal, redrawn in place, that is gone in the end. Borrows the stream.
class ProgressBar {
 public:
  // `terminal` is the file that `out` writes to; it is asked for its width.
  ProgressBar(std::ostream& out, int terminal) : out_(out), terminal_(terminal) {}

  // Draws at most ten times a second of the progress's own time.
  void Draw(const Progress& progress);
  // Leaves the cursor where the line began. Does nothing when nothing is drawn.
  void Erase();

 private:
  std::ostream& out_;
  int terminal_;
  std::optional<std::chrono::milliseconds> drawn_;  // nothing: the line is empty
};

}  // namespace idv::verify

#include "gateway/verify/progress_bar.h"

#include <absl/strings/str_format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <string>

#include "gateway/verify/text.h"

namespace idv::verify {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedraw(100);
constexpr int kDefaultColumns = 80;
constexpr int kLongestBar = 30;
constexpr int kShortestBar = 5;

int Columns(int terminal) {
  winsize size{};
  const bool known = ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kDefaultColumns;
}

std::string Bar(const Progress& progress, int width) {
  const auto full = static_cast<std::size_t>(std::int64_t{width} * progress.sent / progress.frames);
  return "[" + std::string(full, '#') + std::string(static_cast<std::size_t>(width) - full, '-') +
         "]  ";
}

std::string Numbers(const Progress& progress) {
  const auto seconds = static_cast<double>(progress.took.count()) / 1000;
  const auto rate = seconds > 0 ? static_cast<double>(progress.bytes) / seconds : 0;
  return absl::StrFormat("%d/%d  %s  %s/s", progress.sent, progress.frames,
                         RoughSize(static_cast<double>(progress.bytes)), RoughSize(rate));
}

// The last column stays free: a terminal that wraps there would be left with the line above. What
// does not fit is given up, first the bar, then the end.
std::string Line(const Progress& progress, int columns) {
  const std::string name = "liveness frames  ";
  const auto numbers = Numbers(progress);
  const auto room = columns - 1 - static_cast<int>(name.size() + numbers.size() + 4);
  const auto bar = room < kShortestBar ? "" : Bar(progress, std::min(room, kLongestBar));
  return (name + bar + numbers).substr(0, static_cast<std::size_t>(columns - 1));
}

}  // namespace

void ProgressBar::Draw(const Progress& progress) {
  if (drawn_ && progress.took < *drawn_ + kRedraw) return;
  out_ << "\r" + Line(progress, Columns(terminal_)) + "\x1b[K" << std::flush;
  drawn_ = progress.took;
}

void ProgressBar::Erase() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_.reset();
}

}  // namespace idv::verify

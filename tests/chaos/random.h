#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace idv::chaos {

// Random choices, the same ones for the same seed.
class Random {
 public:
  explicit Random(uint64_t seed) : generator_(seed) {}

  // From 0; `limit` itself is not among them.
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(generator_);
  }
  // Of all sizes: as often between 1 and 2 as between 1,000 and 2,000.
  size_t Spread(size_t from, size_t to) {
    const double low = std::log(static_cast<double>(from));
    const double high = std::log(static_cast<double>(to));
    return static_cast<size_t>(
        std::exp(std::uniform_real_distribution<double>(low, high)(generator_)));
  }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(generator_); }
  template <typename T>
  const T& Pick(const std::vector<T>& all) {
    return all[Below(all.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>& all) {
    std::shuffle(all.begin(), all.end(), generator_);
  }

 private:
  std::mt19937_64 generator_;
};

// Deals at random, but each of its cards once before any of them again.
template <typename T>
class Deck {
 public:
  explicit Deck(std::vector<T> cards) : cards_(std::move(cards)), dealt_(cards_.size()) {}

  const T& Deal(Random& random) {
    if (dealt_ == cards_.size()) {
      random.Shuffle(cards_);
      dealt_ = 0;
    }
    return cards_[dealt_++];
  }

 private:
  std::vector<T> cards_;
  size_t dealt_;
};

}  // namespace idv::chaos

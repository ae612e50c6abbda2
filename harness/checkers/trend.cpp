#include "harness/checkers/trend.h"

#include <algorithm>

namespace ordeal::harness {
namespace {

constexpr std::size_t stretch_max = 240;

}  // namespace

void trend::add(run_time at, std::uint64_t value) {
  if (count_++ == 0) first_at_ = at;
  last_at_ = at;
  floor_ = filled_ == 0 ? value : std::min(floor_, value);
  if (++filled_ < width_) return;
  filled_ = 0;
  floors_.push_back(floor_);
  if (floors_.size() < stretch_max) return;
  for (std::size_t i = 0; i < stretch_max / 2; ++i) {
    floors_[i] = std::min(floors_[2 * i], floors_[2 * i + 1]);
  }
  floors_.resize(stretch_max / 2);
  width_ *= 2;
}

std::uint64_t trend::median(std::size_t from, std::size_t to) const {
  const auto at = [](std::size_t i) { return static_cast<std::ptrdiff_t>(i); };
  std::vector<std::uint64_t> part(floors_.begin() + at(from), floors_.begin() + at(to));
  const auto middle = part.begin() + at(part.size() / 2);
  std::nth_element(part.begin(), middle, part.end());
  return *middle;
}

trend::climb trend::over_all() const {
  const std::size_t n = floors_.size();
  if (n < 6) return {};
  const std::size_t third = n / 3, two_thirds = 2 * n / 3, five_sixths = 5 * n / 6;
  const auto level = [this](std::size_t from, std::size_t to) {
    return static_cast<std::int64_t>(median(from, to));
  };
  const std::int64_t first = level(0, third), middle = level(third, two_thirds);
  const std::int64_t last = level(two_thirds, n);
  const std::int64_t late = level(five_sixths, n) - level(two_thirds, five_sixths);
  const std::int64_t growth = last - first;
  climb result{static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last), false};
  // Of a straight climb, each of the two steps is a half of the growth, and the last sixth lies a quarter of it above
  // the sixth before.
  result.is_steady = growth > 0 && 3 * (middle - first) >= growth &&
                     3 * (last - middle) >= growth && 8 * late >= growth;
  return result;
}

}  // namespace ordeal::harness

#include "tests/model/world.h"

namespace ordeal::chat::model {
namespace {

constexpr std::uint16_t endless_count = 60'000;

constexpr std::array<const char*, limit_count> limit_names{
    "adds",  "retries",    "beats",      "delays",         "reader delays",
    "drops", "zombies",    "troubles",   "crashes",        "joins",
    "cuts",  "saves",      "restarts",   "empty restarts", "rollbacks",
    "wipes", "key losses", "promotions", "miscounts",      "convenes"};

}  // namespace

limits limits::endless() {
  limits all;
  all.left_.fill(endless_count);
  return all;
}

limits limits::with(limit what, int count) const {
  limits other = *this;
  other.left_[static_cast<std::size_t>(what)] = static_cast<std::uint16_t>(count);
  return other;
}

void limits::take(limit what) {
  std::uint16_t& left = left_[static_cast<std::size_t>(what)];
  if (left > 0 && left < endless_count) --left;
}

void limits::hash_into(hasher& into) const {
  for (const std::uint16_t left : left_) into.add(left);
}

std::string limits::text() const {
  std::string text;
  for (std::size_t i = 0; i < left_.size(); ++i) {
    if (left_[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(limit_names.at(i)) + " " +
            std::to_string(left_[i]);
  }
  return text;
}

std::optional<limit> limit_of(action what) {
  switch (what) {
    case action::add:
      return limit::adds;
    case action::retry:
      return limit::retries;
    case action::beat:
      return limit::beats;
    case action::issue:
      return limit::delays;
    case action::read_entries:
      return limit::reader_delays;
    case action::drop_before:
    case action::drop_after:
    case action::lose:
      return limit::drops;
    case action::zombify:
      return limit::zombies;
    case action::trouble:
      return limit::troubles;
    case action::crash:
      return limit::crashes;
    case action::join:
      return limit::joins;
    case action::cut:
      return limit::cuts;
    case action::save:
      return limit::saves;
    case action::restart:
      return limit::restarts;
    case action::restart_empty:
      return limit::restarts_empty;
    case action::restart_from_save:
    case action::promote_lagging:
      return limit::rollbacks;
    case action::wipe:
      return limit::wipes;
    case action::lose_key:
      return limit::key_losses;
    case action::promote:
      return limit::promotions;
    case action::miscount:
      return limit::miscounts;
    case action::exchange:
    case action::execute:
    case action::receive:
    case action::run_zombie:
    case action::read:
    case action::read_facts:
    case action::read_receive:
    case action::lose_reader:
    case action::heal:
    case action::settle:
      break;
  }
  return std::nullopt;
}

}  // namespace ordeal::chat::model

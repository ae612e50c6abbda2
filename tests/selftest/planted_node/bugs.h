// The table of planted bugs: what each does, whose mistake it copies, and what the judge must say about it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tests/selftest/planted_node/bug.h"

namespace ordeal::planted {

struct bug_kind {
  std::string_view name = {};
  std::string_view modelled_on = {};  // where that class was seen in the wild
  std::string_view sentence = {};
  std::string_view scenario = {};  // tests/selftest/<scenario>.yaml, in which it shows
  std::string_view finding = {};   // kind of finding that must be made; empty: none may be
  std::string_view check = {};     // that must fail
  std::string_view also = {};      // other findings that it explains, separated by spaces
  std::string_view only_in = {};   // the one room in which there may be findings; empty: any
  std::string_view target =
      "planted";          // tests/selftest/<target>.yaml: how clients talk to it, what it promises
  bool is_long = false;   // takes minutes to show
  bool is_alone = false;  // shows only while nothing else wants the processor
  std::unique_ptr<bug> (*make)(std::string_view node_name) = nullptr;
};

// "none" is the first: the correct node, in every scenario.
const std::vector<bug_kind>& bug_kinds();
const bug_kind* find_bug(std::string_view name);  // null: there is none of that name

// The table's parts, each beside its bugs.
std::vector<bug_kind> delivery_bugs();
std::vector<bug_kind> publishing_bugs();
std::vector<bug_kind> resume_bugs();
std::vector<bug_kind> connection_bugs();
std::vector<bug_kind> resource_bugs();

// Bugs "on one node" are on this one: the scenarios break its links.
inline constexpr std::string_view marked_node = "node-2";

template <class Bug>
std::unique_ptr<bug> make(std::string_view node_name) {
  if constexpr (std::is_constructible_v<Bug, std::string_view>) {
    return std::make_unique<Bug>(node_name);
  } else {
    return std::make_unique<Bug>();
  }
}

// As `make`, on the marked node; the others are correct.
template <class Bug>
std::unique_ptr<bug> make_on_one_node(std::string_view node_name) {
  if (node_name != marked_node) return std::make_unique<bug>();
  return make<Bug>(node_name);
}

}  // namespace ordeal::planted

// The directory of a run's results as it lies there, for verbs that look into it afterwards. Reads, and never writes.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/history/history_file.h"
#include "harness/run/run.h"
#include "harness/scenario/terms.h"

namespace ordeal::harness {

// Why this cannot be done with that run, what to do about it, and how the command ends then.
struct refusal {
  exit_code code = exit_code::inconclusive;
  std::string problem, remedy;
};
// Runs a verb; a refusal, or anything else that is thrown, becomes a message on stderr and the exit code.
exit_code run_or_refuse(const std::function<exit_code()>& verb);
// "error: <problem>" and "  = <remedy>".
void tell(const std::string& problem, const std::string& remedy);

struct stored_run {
  std::filesystem::path path;
  boost::json::object description;  // run.json
};

// These throw a refusal.
stored_run read_run(const std::filesystem::path& given);
boost::json::object read_object(const std::filesystem::path& file, const std::string& remedy);
refusal unreadable(const std::filesystem::path& file, const std::string& why,
                   const std::string& remedy);
std::unique_ptr<history_reader> open_history(const stored_run& run);
terms terms_in(const history_reader& history);

// A member of a page, when it is there and of that type.
std::string text_of(const boost::json::object& page, std::string_view key);
std::optional<double> number_of(const boost::json::object& page, std::string_view key);
// "run it again: ordeal run ..."
std::string run_again(const stored_run& run);
// "<file> at byte 812: the last chunk is torn"
std::string text_of(const history_damage& damage);

}  // namespace ordeal::harness

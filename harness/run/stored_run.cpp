#include "harness/run/stored_run.h"

#include <boost/json/parse.hpp>
#include <iostream>

#include "net/async/regular_file.h"
#include "reports/text.h"

namespace ordeal::harness {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

// What may have been meant by a path that is no run: the run around it, or one in it or beside it.
fs::path run_near(const fs::path& given) {
  for (const fs::path& near : {given.parent_path(), given / "latest", given / "current",
                               given.parent_path() / "latest", given.parent_path() / "current"}) {
    std::error_code ec;
    if (!near.empty() && fs::exists(near / "run.json", ec)) return near;
  }
  return "results/latest";
}

fs::path find_run(const fs::path& given) {
  std::error_code ec;
  const std::string remedy = "give the directory of a run, such as " + run_near(given).string();
  if (!fs::exists(given, ec)) {
    throw refusal{exit_code::bad_command_line, "there is no '" + given.string() + "'", remedy};
  }
  if (!fs::exists(given / "run.json", ec)) {
    throw refusal{exit_code::bad_command_line,
                  "'" + given.string() + "' is not the directory of a run: it has no run.json",
                  remedy};
  }
  return fs::canonical(given);
}

constexpr std::size_t page_bytes_max = 64U << 20U;

}  // namespace

exit_code run_or_refuse(const std::function<exit_code()>& verb) {
  try {
    return verb();
  } catch (const refusal& why) {
    tell(why.problem, why.remedy);
    return why.code;
  } catch (const std::exception& thrown) {
    tell(std::string("internal: ") + thrown.what(), {});
    return exit_code::internal_error;
  }
}

void tell(const std::string& problem, const std::string& remedy) {
  std::cerr << "error: " << report::terminal_text(problem) << "\n";
  if (!remedy.empty()) std::cerr << "  = " << remedy << "\n";
}

refusal unreadable(const fs::path& file, const std::string& why, const std::string& remedy) {
  return {exit_code::inconclusive, "cannot read " + file.string() + ": " + why, remedy};
}

json::object read_object(const fs::path& file, const std::string& remedy) {
  const net::file_content read = net::read_regular_file(file, page_bytes_max);
  if (!read.problem.empty()) throw unreadable(file, read.problem, remedy);
  json::error_code ec;
  const json::value page = json::parse(read.text, ec);
  if (ec) throw unreadable(file, ec.message(), remedy);
  if (!page.is_object()) throw unreadable(file, "it is no JSON object", remedy);
  return page.get_object();
}

stored_run read_run(const fs::path& given) {
  stored_run run;
  run.path = find_run(given);
  run.description = read_object(run.path / "run.json", "it is written by `ordeal run` alone");
  return run;
}

std::unique_ptr<history_reader> open_history(const stored_run& run) {
  if (text_of(run.description, "history") == "none") {
    throw refusal{exit_code::inconclusive, "this run kept no history (--history none)",
                  run_again(run)};
  }
  const fs::path directory = run.path / "history";
  std::error_code ec;
  if (!fs::exists(directory, ec)) {
    throw refusal{exit_code::inconclusive,
                  "there is no " + directory.string() + ": this run kept no history",
                  run_again(run)};
  }
  std::unique_ptr<history_reader> history;
  try {
    history = history_reader::open(directory);
  } catch (const std::exception& thrown) {
    throw refusal{exit_code::inconclusive, thrown.what(), run_again(run)};
  }
  return history;
}

terms terms_in(const history_reader& history) {
  try {
    return parse_terms(history.header());
  } catch (const std::exception& thrown) {
    throw refusal{exit_code::inconclusive, thrown.what(),
                  "read it with the version of ordeal that ran it"};
  }
}

std::string text_of(const json::object& page, std::string_view key) {
  const json::value* found = page.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::optional<double> number_of(const json::object& page, std::string_view key) {
  const json::value* found = page.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::string run_again(const stored_run& run) {
  const std::string replay = text_of(run.description, "replay");
  return "run it again" + (replay.empty() ? "" : ": " + replay);
}

std::string text_of(const history_damage& damage) {
  return damage.file + " at byte " + std::to_string(damage.offset) + ": " + damage.what;
}

}  // namespace ordeal::harness

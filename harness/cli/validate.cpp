#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "harness/cli/verbs.h"
#include "harness/scenario/fit.h"
#include "harness/scenario/problem_list.h"
#include "harness/scenario/user_file.h"
#include "harness/scenario/yaml_reader.h"
#include "harness/target/target_loader.h"

namespace ordeal::harness {
namespace {

namespace json = boost::json;

// Problems, with the text they point into.
struct file_report {
  std::vector<diagnostic> problems;
  std::string text;
};

// Target files have keys that scenario files never have.
bool is_target_file(const std::string& path) {
  problem_list ignored;
  const std::optional<std::string> text = read_user_file(path, ignored);
  if (!text) return false;
  const yaml_document document = read_yaml(*text, path);
  if (!document.root) return false;
  const yaml_value& root = *document.root;
  return root.find_member("driver") || root.find_member("protocol") || root.find_member("contract");
}

class validation {
 public:
  validation(const request& what, const world& where) : what_(what), where_(where) {}

  void check(const std::string& path) {
    if (is_target_file(path)) {
      loaded_target loaded = load_target_file(path, where_.drivers);
      finish(path, {std::move(loaded.problems), std::move(loaded.text)});
      return;
    }
    loaded_scenario loaded = load_scenario(path, where_.fault_kinds, inputs_of(what_, where_));
    if (loaded.value) check_target(*loaded.value, loaded.problems);
    finish(path, {std::move(loaded.problems), std::move(loaded.text)});
  }

  exit_code result() {
    if (what_.run.format == output_format::json) where_.out << json::serialize(files_) << "\n";
    return has_problems_ ? exit_code::invalid_file : exit_code::pass;
  }

 private:
  // A scenario's target is said once, and only when it is wrong; what it cannot give is the scenario's problem.
  void check_target(const scenario& of, std::vector<diagnostic>& problems) {
    const std::string& name = of.target_name;
    loaded_target loaded = load_target(name, where_.share, where_.drivers);
    if (loaded.value) {
      problems = misfits(of, *loaded.value);
    } else if (targets_.insert(name).second) {
      finish(name, {std::move(loaded.problems), std::move(loaded.text)});
    }
  }

  void finish(const std::string& path, const file_report& report) {
    has_problems_ = has_problems_ || !report.problems.empty();
    if (what_.run.format == output_format::text) {
      if (report.problems.empty()) where_.out << path << ": ok\n";
      where_.err << render_all(report.problems, report.text);
      return;
    }
    json::array problems;
    for (const diagnostic& problem : report.problems) {
      problems.push_back(json::object{{"file", problem.where.file},
                                      {"line", problem.where.line},
                                      {"column", problem.where.column},
                                      {"code", problem.code},
                                      {"message", problem.message},
                                      {"suggestion", problem.suggestion},
                                      {"remedy", problem.remedy}});
    }
    files_.push_back(json::object{
        {"file", path}, {"ok", report.problems.empty()}, {"problems", std::move(problems)}});
  }

  const request& what_;
  const world& where_;
  std::set<std::string> targets_;
  json::array files_;
  bool has_problems_ = false;
};

}  // namespace

exit_code validate_verb(const request& what, const world& where) {
  const std::vector<std::string> files = expand_files(what.run.files, where);
  if (files.empty()) return exit_code::nothing_ran;
  validation work(what, where);
  for (const std::string& file : files) work.check(file);
  return work.result();
}

}  // namespace ordeal::harness

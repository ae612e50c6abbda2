#include "harness/scenario/checked_document.h"

#include <algorithm>
#include <set>

#include "harness/scenario/spelling.h"
#include "harness/scenario/values.h"
#include "net/async/assert.h"

namespace ordeal::harness {
namespace {

bool is_scalar(value_type type) {
  return type != value_type::list && type != value_type::map && type != value_type::free_map;
}

const char* found_kind(yaml_kind kind) {
  switch (kind) {
    case yaml_kind::null:
      return "no value";
    case yaml_kind::scalar:
      return "a single value";
    case yaml_kind::list:
      return "a list";
    case yaml_kind::map:
      return "a map";
  }
  return "";
}

std::string bound_text(const schema_row& row, std::int64_t value) {
  if (row.type == value_type::duration) return format_duration(std::chrono::nanoseconds(value));
  if (row.type == value_type::size) return format_size(value);
  return std::to_string(value);
}

std::string member_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

// "env.HOME": any variable of the environment will do.
bool is_environment_name(std::string_view name) {
  return name.size() > 4 && name.starts_with("env.");
}

std::string place_text(const std::string& path) {
  return path.empty() ? "at the top level" : "in " + path;
}

}  // namespace

const checked_value& checked_value::operator[](std::string_view key) const {
  const auto found = std::find_if(members_.begin(), members_.end(),
                                  [&](const auto& member) { return member.first == key; });
  ORDEAL_ASSERT(found != members_.end());
  return found->second;
}

std::vector<std::string> checked_value::texts() const {
  std::vector<std::string> all;
  for (const checked_value& item : items_) all.push_back(item.text_);
  return all;
}

diagnostic checked_value::problem(std::string code, std::string message, std::string remedy,
                                  std::string suggestion) const {
  return {where_,  std::move(message),    std::move(code),
          length_, std::move(suggestion), std::move(remedy)};
}

diagnostic checked_value::key_problem(std::string code, std::string message, std::string remedy,
                                      std::string suggestion) const {
  return {key_where_,  std::move(message),    std::move(code),
          key_length_, std::move(suggestion), std::move(remedy)};
}

class schema_check {
 public:
  schema_check(schema rows, const check_options& options, problem_list& problems)
      : rows_(rows), options_(options), problems_(problems) {}

  checked_value check_root(const yaml_value& root) {
    checked_value value = start(nullptr, {}, &root, {options_.file, root.line, root.column});
    if (root.kind != yaml_kind::map) {
      reject(value, "E105", "expected a map of keys, found " + std::string(found_kind(root.kind)),
             {});
      return value;
    }
    if (is_other_kind(root) || is_newer(root)) {
      value.is_valid_ = false;
    } else {
      check_members(value, "", &root, true);
    }
    return value;
  }

 private:
  void report_key(const yaml_value& key, std::string code, std::string message,
                  std::string remedy) {
    problems_.add({{options_.file, key.line, key.column},
                   std::move(message),
                   std::move(code),
                   key.length,
                   {},
                   std::move(remedy)});
  }

  bool is_other_kind(const yaml_value& root) {
    const yaml_value* first = nullptr;
    std::size_t count = 0;
    for (const yaml_member& member : root.members) {
      const std::vector<std::string>& keys = options_.other.keys;
      if (std::find(keys.begin(), keys.end(), member.key.text) == keys.end()) continue;
      if (count++ == 0) first = &member.key;
    }
    if (count < 2) return false;
    report_key(*first, "E107", options_.other.message, options_.other.remedy);
    return true;
  }

  // What else is wrong with a newer file, only a newer ordeal can tell.
  bool is_newer(const yaml_value& root) {
    const schema_row* row = find_row(rows_, "schema_version");
    const yaml_member* given = root.find_member("schema_version");
    if (!row || !given || given->value.kind != yaml_kind::scalar) return false;
    const parsed<std::int64_t> version = parse_integer(given->value.text);
    if (!version.value || *version.value <= row->maximum) return false;
    report_key(given->value, "E108",
               "schema_version " + given->value.text + " is newer than this ordeal, which reads " +
                   std::to_string(row->maximum),
               "use the ordeal that the file was written for");
    return true;
  }

  // A value of `row` at `path`; `source` is null when the file has none, `parent` is then where it
  // would stand.
  checked_value check(const schema_row& row, const std::string& path, const yaml_value* source,
                      const source_position& parent, bool is_parent_given) {
    if (source && source->kind == yaml_kind::scalar && !row.shorthand.empty()) {
      const yaml_value whole = spelled_out(row, *source);
      return check(row, path, &whole, parent, is_parent_given);
    }
    checked_value value = start(&row, path, source, parent);
    if (!source) return absent(row, std::move(value), is_parent_given);
    if (is_scalar(row.type)) {
      check_scalar(row, *source, value);
    } else if (source->kind != (row.type == value_type::list ? yaml_kind::list : yaml_kind::map)) {
      reject_kind(row, *source, value);
      if (row.type == value_type::map) check_members(value, row.path, nullptr, false);
    } else if (row.type == value_type::list) {
      check_items(row, *source, value);
    } else if (row.type == value_type::free_map) {
      check_free_members(row, *source, value);
    } else {
      check_members(value, row.path, source, true);
    }
    return value;
  }

  static yaml_value spelled_out(const schema_row& row, const yaml_value& source) {
    yaml_value key = source, whole = source;
    key.text = row.shorthand;
    whole.kind = yaml_kind::map;
    whole.members.push_back({std::move(key), source});
    return whole;
  }

  checked_value start(const schema_row* row, const std::string& path, const yaml_value* source,
                      const source_position& parent) {
    checked_value value;
    value.path_ = path;
    value.where_ = parent;
    value.is_given_ = source != nullptr;
    if (source) {
      value.where_ = {options_.file, source->line, source->column};
      value.length_ = source->length;
      value.is_quoted_ = source->is_quoted;
    }
    if (row && row->is_secret && source && row->type != value_type::map)
      problems_.conceal_line(source->line);
    return value;
  }

  checked_value absent(const schema_row& row, checked_value value, bool is_parent_given) {
    if (row.is_required && is_parent_given) {
      const std::size_t cut = value.path_.rfind('.');
      const std::string parent = cut == std::string::npos ? "" : value.path_.substr(0, cut);
      reject(value, "E106", "missing key '" + std::string(key_of(row)) + "' " + place_text(parent),
             std::string(row.doc));
    }
    if (row.type == value_type::map) check_members(value, row.path, nullptr, false);
    if (is_scalar(row.type) && !row.default_text.empty()) {
      value.text_ = row.default_text;
      parse(row, value);
    }
    return value;
  }

  void check_members(checked_value& map, std::string_view row_path, const yaml_value* source,
                     bool is_given) {
    const std::vector<const schema_row*> rows = children_of(rows_, row_path);
    std::vector<std::string> known;
    for (const schema_row* row : rows) known.emplace_back(key_of(*row));
    std::sort(known.begin(), known.end());
    std::set<std::string> misspelled;
    if (source) {
      for (const yaml_member& member : source->members)
        misspelled.insert(check_known(map, member.key, known, row_path.empty()));
    }
    for (const schema_row* row : rows) {
      const std::string key(key_of(*row));
      const yaml_member* member = source ? source->find_member(key) : nullptr;
      const bool is_expected = is_given && !misspelled.contains(key);
      map.members_.emplace_back(
          key, check(*row, member_path(map.path_, key), member ? &member->value : nullptr,
                     map.where_, is_expected));
    }
  }

  // Reports a key that is not known; returns the one that was probably meant, or nothing.
  std::string check_known(const checked_value& map, const yaml_value& key,
                          const std::vector<std::string>& known, bool is_top) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) return {};
    if (is_top && key.text.starts_with("x-")) return {};  // the user's own
    if (looks_secret(key.text)) problems_.conceal_line(key.line);
    problems_.add({{options_.file, key.line, key.column},
                   "unknown key '" + key.text + "' " + place_text(map.path_),
                   "E102",
                   key.length,
                   did_you_mean(key.text, known),
                   "allowed: " + join(known)});
    return closest_match(key.text, known);
  }

  void check_items(const schema_row& row, const yaml_value& source, checked_value& list) {
    const schema_row* item_row = find_row(rows_, std::string(row.path) + "[]");
    ORDEAL_ASSERT(item_row != nullptr);
    for (std::size_t index = 0; index < source.items.size(); ++index) {
      const std::string path = list.path_ + "[" + std::to_string(index) + "]";
      list.items_.push_back(check(*item_row, path, &source.items[index], list.where_, true));
    }
  }

  void check_free_members(const schema_row& row, const yaml_value& source, checked_value& map) {
    const schema_row* value_row = find_row(rows_, std::string(row.path) + ".*");
    ORDEAL_ASSERT(value_row != nullptr);
    for (const yaml_member& member : source.members) {
      const std::string& key = member.key.text;
      const bool is_literal = member.value.text.find("${") == std::string::npos;
      if (is_literal && looks_secret(key)) problems_.conceal_line(member.key.line);
      checked_value value =
          check(*value_row, member_path(map.path_, key), &member.value, map.where_, true);
      value.key_where_ = {options_.file, member.key.line, member.key.column};
      value.key_length_ = member.key.length;
      map.members_.emplace_back(key, std::move(value));
    }
  }

  void reject(checked_value& value, std::string code, std::string message, std::string remedy,
              std::string suggestion = {}) {
    value.is_valid_ = false;
    problems_.add(value.problem(std::move(code), std::move(message), std::move(remedy),
                                std::move(suggestion)));
  }

  void reject_kind(const schema_row& row, const yaml_value& source, checked_value& value) {
    if (row.is_secret && source.kind == yaml_kind::scalar) {
      reject_literal_secret(row, value);
      return;
    }
    reject(value, "E105",
           value.path_ + ": expected " + name_of(row.type) + ", found " + found_kind(source.kind),
           example_of(row.type));
  }

  void reject_literal_secret(const schema_row& row, checked_value& value) {
    problems_.conceal_line(value.where_.line);
    const bool is_source = row.path.starts_with("secrets.");
    const bool is_generated = row.type == value_type::enumeration;
    reject(value, "E210", value.path_ + " holds a literal value",
           std::string(is_generated ? "write 'generated'"
                       : is_source  ? "use { from_env: NAME } or { from_file: PATH }"
                                    : "use { secret: NAME } and declare NAME in secrets") +
               "; the value is not shown here");
  }

  void check_scalar(const schema_row& row, const yaml_value& source, checked_value& value) {
    if (source.kind != yaml_kind::scalar) {
      reject_kind(row, source, value);
      return;
    }
    value.text_ = source.text;
    bool has_variables = false;
    if (options_.value_of) {
      if (!expand(source.text, value, has_variables)) return;
    } else if (row.type == value_type::text || row.type == value_type::scalar) {
      check_placeholders(row, value);
    }
    const bool is_number = row.type == value_type::integer || row.type == value_type::boolean;
    if (is_number && source.is_quoted && !has_variables) {
      reject(value, "E105",
             value.path_ + ": expected " + name_of(row.type) + ", found a quoted text",
             example_of(row.type));
      return;
    }
    parse(row, value);
  }

  bool expand(const std::string& text, checked_value& value, bool& has_variables) {
    const expansion expanded = expand_template(text, options_.value_of);
    has_variables = expanded.has_variables;
    value.text_ = expanded.text;
    if (!expanded.problem.empty()) {
      reject(value, "E121", value.path_ + " " + expanded.problem,
             "use ${name} or ${name:-default}; $$ is a dollar sign");
    }
    for (const std::string& name : expanded.unknown) {
      const std::vector<std::string>& known = options_.known_variables;
      reject(value, "E120", value.path_ + ": variable '" + name + "' has no value",
             (known.empty() ? "declare it in vars" : "vars: " + join(known)) +
                 ", set it in the environment, or write ${" + name + ":-default}",
             did_you_mean(name, known));
    }
    return value.is_valid_;
  }

  // Target files: ${names} are for the run to fill in, and every key has its own.
  void check_placeholders(const schema_row& row, checked_value& value) {
    const parsed_template parsed = parse_template(value.text_);
    const std::vector<std::string> allowed = allowed_values(row);
    if (!parsed.problem.empty()) {
      reject(value, "E121", value.path_ + " " + parsed.problem, "use ${name}; $$ is a dollar sign");
    }
    for (const template_piece& piece : parsed.pieces) {
      if (!piece.is_variable) continue;
      if (piece.fallback && !row.takes_default) {
        reject(
            value, "E121",
            value.path_ + ": '${" + piece.text + ":-...}' has a default, which has no place here",
            "write ${" + piece.text + "}");
      }
      if (std::find(allowed.begin(), allowed.end(), piece.text) != allowed.end()) continue;
      if (is_environment_name(piece.text) &&
          std::find(allowed.begin(), allowed.end(), "env.NAME") != allowed.end())
        continue;
      reject(value, "E123", value.path_ + ": '${" + piece.text + "}' is not known here",
             allowed.empty() ? "this key takes no ${}" : "allowed: " + join(allowed),
             did_you_mean(piece.text, allowed));
    }
  }

  // value.text_ to the row's type.
  void parse(const schema_row& row, checked_value& value) {
    switch (row.type) {
      case value_type::identifier:
        if (!is_identifier(value.text_)) reject_text(row, value, "is not a name");
        break;
      case value_type::integer:
        store(row, value, parse_integer(value.text_));
        break;
      case value_type::size:
        store(row, value, parse_size(value.text_));
        break;
      case value_type::boolean:
        store(row, value, parse_boolean(value.text_));
        break;
      case value_type::duration:
        store(row, value, parse_duration(value.text_));
        break;
      case value_type::rate:
        store(row, value, parse_rate(value.text_));
        break;
      case value_type::bandwidth:
        store(row, value, parse_bandwidth(value.text_));
        break;
      case value_type::percent: {
        const parsed<double> result = parse_percent(value.text_);
        value.fraction_ = result.value.value_or(0);
        if (!result.value) reject_text(row, value, result.problem);
        break;
      }
      case value_type::enumeration:
        choose(row, value);
        break;
      case value_type::text:
        if (row.is_required && value.text_.empty()) reject_text(row, value, "is empty");
        break;
      case value_type::scalar:
      case value_type::list:
      case value_type::map:
      case value_type::free_map:
        break;
    }
  }

  template <class T>
  void store(const schema_row& row, checked_value& value, const parsed<T>& result) {
    if (!result.value) {
      reject_text(row, value, result.problem);
      return;
    }
    if constexpr (std::is_same_v<T, std::chrono::nanoseconds>) {
      value.number_ = result.value->count();
    } else {
      value.number_ = static_cast<std::int64_t>(*result.value);
    }
    if (value.number_ < row.minimum || value.number_ > row.maximum) {
      const std::string limit = value.number_ < row.minimum
                                    ? "at least " + bound_text(row, row.minimum)
                                    : "at most " + bound_text(row, row.maximum);
      reject(value, "E112", value.path_ + ": " + value.text_ + " is out of range", limit);
    }
  }

  void choose(const schema_row& row, checked_value& value) {
    const std::vector<std::string> words = allowed_values(row);
    const auto found = std::find(words.begin(), words.end(), value.text_);
    if (found != words.end()) {
      value.number_ = found - words.begin();
    } else if (row.is_secret) {
      reject_literal_secret(row, value);
    } else {
      reject(value, "E111", value.path_ + ": '" + value.text_ + "' is not known",
             "allowed: " + join(words), did_you_mean(value.text_, words));
    }
  }

  void reject_text(const schema_row& row, checked_value& value, const std::string& why) {
    reject(value, "E110", value.path_ + ": '" + value.text_ + "' " + why, example_of(row.type));
  }

  schema rows_;
  const check_options& options_;
  problem_list& problems_;
};

checked_value check_document(const yaml_value& root, schema rows, const check_options& options,
                             problem_list& problems) {
  return schema_check(rows, options, problems).check_root(root);
}

}  // namespace ordeal::harness

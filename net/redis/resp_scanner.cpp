#include "net/redis/resp_scanner.h"

#include <algorithm>

namespace ordeal::net::redis {
namespace {

constexpr unsigned digits_max = 19;  // always fit in 64 bits
constexpr std::uint64_t integer_max = ~std::uint64_t{0} >> 1U;

char upper_case(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// Where the words of an inline command may begin: printable, a blank or an empty line. Anything else is no RESP.
bool may_begin_inline(char c) {
  return static_cast<unsigned char>(c) > 0x20 || is_blank(c) || c == '\n';
}

bool is_sign(char c) {
  return c == '-' || c == '+';
}

bool is_aggregate(resp_kind kind) {
  return kind == resp_kind::command || kind == resp_kind::array || kind == resp_kind::map ||
         kind == resp_kind::set || kind == resp_kind::push || kind == resp_kind::attribute;
}

}  // namespace

void resp_scanner::short_word::append(char c) {
  if (!is_full()) text_[size_++] = upper_case(c);
}

void resp_scanner::short_word::append(std::string_view more) {
  for (const char c : more.substr(0, text_.size() - size_)) append(c);
}

void resp_scanner::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (state_) {
      case state::type:
        take_type(bytes);
        break;
      case state::number:
        take_number(bytes);
        break;
      case state::number_end:
        take_end(bytes, '\n', state::type);
        if (!is_lost()) end_number();
        break;
      case state::line:
        take_line(bytes);
        break;
      case state::line_end:
        take_end(bytes, '\n', state::type);
        if (!is_lost()) end_line();
        break;
      case state::payload:
        take_payload(bytes);
        break;
      case state::payload_cr:
        take_end(bytes, '\r', state::payload_end);
        break;
      case state::payload_end:
        take_end(bytes, '\n', state::type);
        if (!is_lost()) end_value();
        break;
      case state::inline_words:
        take_inline(bytes);
        break;
      case state::lost:
        return;
    }
  }
}

void resp_scanner::take_end(std::string_view& bytes, char wanted, state next) {
  if (bytes.front() != wanted) {
    lose("a line or a string does not end where it should");
    return;
  }
  bytes.remove_prefix(1);
  state_ = next;
}

void resp_scanner::take_type(std::string_view& bytes) {
  const char type = bytes.front();
  if (side_ == resp_side::requests && depth_ == 0 && type != '*') {
    begin_value(resp_kind::inline_command);
    line_bytes_ = 0;
    is_in_word_ = false;
    state_ = state::inline_words;
    if (!may_begin_inline(type)) lose("a request begins with a control character");
    return;
  }
  bytes.remove_prefix(1);
  if (side_ == resp_side::requests) {
    if (depth_ > 0 && type != '$') return lose("a part of a request is no bulk string");
    begin_value(depth_ == 0 ? resp_kind::command : resp_kind::bulk);
    return begin_number();
  }
  switch (type) {
    case '+':
      begin_value(resp_kind::simple);
      break;
    case '-':
      begin_value(resp_kind::error);
      break;
    case '_':
      begin_value(resp_kind::nil);
      break;
    case '#':
      begin_value(resp_kind::boolean);
      break;
    case ',':
    case '(':
      begin_value(resp_kind::number);
      break;
    case ':':
      begin_value(resp_kind::integer);
      return begin_number();
    case '$':
    case '=':
      begin_value(resp_kind::bulk);
      return begin_number();
    case '!':
      begin_value(resp_kind::error);
      return begin_number();
    case '*':
      begin_value(resp_kind::array);
      return begin_number();
    case '%':
      begin_value(resp_kind::map);
      return begin_number();
    case '~':
      begin_value(resp_kind::set);
      return begin_number();
    case '>':
      if (depth_ > 0) return lose("a push inside another value");
      begin_value(resp_kind::push);
      return begin_number();
    case '|':
      begin_value(resp_kind::attribute);
      return begin_number();
    default:
      return lose("a value of no known type");
  }
  line_bytes_ = 0;
  state_ = state::line;
}

void resp_scanner::begin_value(resp_kind kind) {
  kind_ = kind;
  words_ = nullptr;
  is_first_piece_ = true;
  if (attributes_ > 0 || kind == resp_kind::attribute) return;
  if (depth_ == 0) {
    frame_kind_ = kind;
    word_.clear();
    argument_.clear();
    size_ = 0;
    integer_ = 0;
    words_ = &word_;
  } else {
    const std::uint64_t element = levels_[0].taken;
    if (kind == resp_kind::error) sink_.on_error_inside(element, depth_);
    if (depth_ == 1 && element == 0) words_ = &word_;
    if (depth_ == 1 && element == 1) words_ = &argument_;
  }
}

void resp_scanner::begin_number() {
  digits_value_ = 0;
  digits_ = 0;
  has_sign_ = is_negative_ = false;
  state_ = state::number;
}

void resp_scanner::take_number(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (c >= '0' && c <= '9') {
      if (++digits_ > digits_max) return lose("a number with too many digits");
      digits_value_ = digits_value_ * 10 + static_cast<std::uint64_t>(c - '0');
    } else if (c == '\r' && digits_ > 0) {
      state_ = state::number_end;
      return;
    } else if (is_sign(c) && digits_ == 0 && !has_sign_) {
      has_sign_ = true;
      is_negative_ = c == '-';
    } else {
      return lose("a number with something else in it");
    }
  }
}

void resp_scanner::end_number() {
  if (kind_ == resp_kind::integer) {
    if (digits_value_ > integer_max) return lose("an integer of more than 64 bits");
    if (depth_ <= 1 && attributes_ == 0) {
      integer_ = static_cast<std::int64_t>(digits_value_);
      if (is_negative_) integer_ = -integer_;
    }
    return end_value();
  }
  if (has_sign_) {
    // Empty requests, which Redis passes over; the nil of RESP2; nothing else has less than nothing.
    if (kind_ == resp_kind::command && is_negative_) return;
    const bool can_be_nil =
        side_ == resp_side::replies && (kind_ == resp_kind::bulk || kind_ == resp_kind::array);
    if (!is_negative_ || !can_be_nil || digits_value_ != 1) return lose("a length with a sign");
    if (depth_ == 0) frame_kind_ = resp_kind::nil;
    return end_value();
  }
  if (is_aggregate(kind_)) {
    begin_aggregate(digits_value_);
  } else {
    begin_payload(digits_value_);
  }
}

void resp_scanner::begin_payload(std::uint64_t length) {
  if (length > bulk_bytes_max) return lose("a string beyond all limits");
  payload_left_ = length;
  state_ = length == 0 ? state::payload_cr : state::payload;
}

void resp_scanner::begin_aggregate(std::uint64_t count) {
  if (count > elements_max) return lose("more elements than Redis can have");
  const bool is_attribute = kind_ == resp_kind::attribute;
  if (is_attribute || kind_ == resp_kind::map) count *= 2;
  if (depth_ == 0 && !is_attribute) size_ = count;
  if (count == 0) {
    state_ = state::type;
    // An empty request is passed over by Redis; what an attribute is about is still to come.
    if (!is_attribute && kind_ != resp_kind::command) end_value();
    return;
  }
  if (depth_ == depth_max) return lose("values nested too deeply");
  levels_[depth_++] = level{count, 0, is_attribute};
  if (is_attribute) ++attributes_;
  state_ = state::type;
}

void resp_scanner::end_value() {
  state_ = state::type;
  while (depth_ > 0) {
    level& around = levels_[depth_ - 1];
    ++around.taken;
    if (--around.left > 0) return;
    --depth_;
    if (around.is_attribute) {
      --attributes_;
      return;
    }
  }
  sink_.on_frame(resp_frame{frame_kind_, word_.view(), argument_.view(), size_, integer_});
}

void resp_scanner::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\r');
  const std::string_view piece = bytes.substr(0, end);
  line_bytes_ += piece.size();
  keep_words(piece);
  if (kind_ == resp_kind::simple) show_text(piece);
  bytes.remove_prefix(piece.size());
  if (end == std::string_view::npos) return;
  bytes.remove_prefix(1);
  state_ = state::line_end;
}

void resp_scanner::end_line() {
  if (kind_ == resp_kind::nil && line_bytes_ != 0) return lose("a null with something in it");
  if (kind_ == resp_kind::boolean && line_bytes_ != 1) return lose("a boolean of some length");
  end_value();
}

void resp_scanner::take_payload(std::string_view& bytes) {
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), payload_left_));
  const std::string_view piece = bytes.substr(0, length);
  keep_words(piece);
  if (kind_ == resp_kind::bulk) show_text(piece);
  bytes.remove_prefix(length);
  payload_left_ -= length;
  if (payload_left_ == 0) state_ = state::payload_cr;
}

void resp_scanner::take_inline(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end);
  line_bytes_ += piece.size();
  if (line_bytes_ > inline_bytes_max) return lose("an inline command without an end");
  // Blanks ahead of the first word belong to nothing: the line may turn out to be an empty one.
  std::size_t blanks = 0;
  for (const char c : piece) {
    if (!is_blank(c) && !is_in_word_) ++size_;
    if (size_ == 0) ++blanks;
    is_in_word_ = !is_blank(c);
    if (is_in_word_ && size_ == 1) word_.append(c);
    if (is_in_word_ && size_ == 2) argument_.append(c);
  }
  show_text(piece.substr(blanks));
  bytes.remove_prefix(piece.size());
  if (end == std::string_view::npos) return;
  bytes.remove_prefix(1);
  state_ = state::type;
  // An empty line is passed over by Redis.
  if (size_ > 0) end_value();
}

// Of statuses and errors the first word.
void resp_scanner::keep_words(std::string_view piece) {
  if (words_ == nullptr) return;
  const std::size_t end = kind_ == resp_kind::bulk ? std::string_view::npos : piece.find(' ');
  words_->append(piece.substr(0, end));
  if (end != std::string_view::npos || words_->is_full()) words_ = nullptr;
}

void resp_scanner::show_text(std::string_view piece) {
  if (piece.empty() || attributes_ > 0) return;
  sink_.on_text(piece, is_first_piece_);
  is_first_piece_ = false;
}

void resp_scanner::lose(std::string_view reason) {
  state_ = state::lost;
  sink_.on_lost(reason);
}

}  // namespace ordeal::net::redis

// Reads RESP2 and RESP3 as it goes by, one direction of one connection, in pieces of any size. Made for bytes of
// others: it keeps no payload, its memory is fixed, depth and lengths are limited, and at the first byte that is no
// RESP it is lost for good instead of guessing where the next frame begins. No I/O; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ordeal::net::redis {

enum class resp_side { requests, replies };

enum class resp_kind : std::uint8_t {
  command,         // a request as an array of strings
  inline_command,  // a request as a line of words
  simple,
  error,  // bulk errors of RESP3 too
  integer,
  number,  // RESP3 doubles and big numbers
  boolean,
  bulk,  // verbatim strings of RESP3 too
  nil,   // in all its spellings
  array,
  map,
  set,
  push,
  attribute  // never a frame: what RESP3 says about the value after it is passed over
};

// One request, reply or push. The words are upper case, cut to 16 characters, and alive during the call only.
struct resp_frame {
  resp_kind kind = resp_kind::nil;
  // A command's name, an error's code ("OOM"), the first word of a simple string, a bulk string's beginning; of an
  // array, map, set or push: its first element when that is a string.
  std::string_view word;
  std::string_view argument;  // the second element, when that is a string
  std::uint64_t size = 0;     // elements (keys and values of a map); words of a command
  std::int64_t integer = 0;   // its value; of an aggregate: the last integer directly in it
};

class resp_sink {
 public:
  virtual ~resp_sink() = default;

  // The bytes of strings, lines of inline commands included, piece by piece; `is_first`: of another string than the
  // piece before. Texts of errors are left out: Redis quotes there what it refuses.
  virtual void on_text(std::string_view piece, bool is_first) = 0;
  // An error inside the element-th part (from 0) of the frame that is under way; depth 1: that part itself.
  virtual void on_error_inside(std::uint64_t element, std::size_t depth) = 0;
  // A frame is complete.
  virtual void on_frame(const resp_frame& frame) = 0;
  // Once: nothing is read any more. `reason` has nothing of the bytes in it.
  virtual void on_lost(std::string_view reason) = 0;
};

class resp_scanner {
 public:
  static constexpr std::size_t depth_max = 32;
  static constexpr std::uint64_t bulk_bytes_max = std::uint64_t{1} << 32U;
  static constexpr std::uint64_t elements_max = (std::uint64_t{1} << 31U) - 1;
  static constexpr std::size_t inline_bytes_max = 64U << 10;  // Redis' own limit

  // `sink` outlives it, and does not call feed().
  resp_scanner(resp_side side, resp_sink& sink) : side_(side), sink_(sink) {}

  void feed(std::string_view bytes);
  bool is_lost() const { return state_ == state::lost; }

 private:
  enum class state : std::uint8_t {
    type,          // the first byte of a value
    number,        // a length or an integer, up to its \r
    number_end,    // \n
    line,          // text up to its \r
    line_end,      // \n
    payload,       // of a bulk string
    payload_cr,    // \r
    payload_end,   // \n
    inline_words,  // up to \n
    lost
  };

  struct level {
    std::uint64_t left = 0;   // elements to come, the one under way included
    std::uint64_t taken = 0;  // elements behind
    bool is_attribute = false;
  };

  class short_word {
   public:
    void clear() { size_ = 0; }
    void append(std::string_view more);
    void append(char c);
    bool is_full() const { return size_ == text_.size(); }
    std::string_view view() const { return std::string_view(text_.data(), size_); }

   private:
    std::array<char, 16> text_{};
    std::size_t size_ = 0;
  };

  // Each takes what it understands off the front.
  void take_type(std::string_view& bytes);
  void take_number(std::string_view& bytes);
  void take_line(std::string_view& bytes);
  void take_payload(std::string_view& bytes);
  void take_inline(std::string_view& bytes);
  void take_end(std::string_view& bytes, char wanted, state next);

  void begin_value(resp_kind kind);
  void begin_number();
  void end_number();
  void end_line();
  void begin_payload(std::uint64_t length);
  void begin_aggregate(std::uint64_t count);
  void end_value();
  void keep_words(std::string_view piece);
  void show_text(std::string_view piece);
  void lose(std::string_view reason);

  resp_side side_;
  resp_sink& sink_;
  state state_ = state::type;

  // The frame.
  resp_kind frame_kind_ = resp_kind::nil;
  short_word word_, argument_;
  std::uint64_t size_ = 0;
  std::int64_t integer_ = 0;
  std::array<level, depth_max> levels_{};
  std::size_t depth_ = 0;       // of levels_ in use
  std::size_t attributes_ = 0;  // of those, attributes: what is in one is not shown

  // The value under way.
  resp_kind kind_ = resp_kind::nil;
  short_word* words_ = nullptr;  // where its beginning is kept, until that is complete
  bool is_first_piece_ = false;
  std::uint64_t digits_value_ = 0;
  unsigned digits_ = 0;
  bool has_sign_ = false, is_negative_ = false;
  std::uint64_t payload_left_ = 0;
  std::size_t line_bytes_ = 0;
  bool is_in_word_ = false;  // of an inline command
};

}  // namespace ordeal::net::redis

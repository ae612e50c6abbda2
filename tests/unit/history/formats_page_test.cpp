// Goal: the example of docs/formats.md is what the program writes. Method: the bytes on the page, in the block that
// begins with ```hex, are compared with those of a history of the same events.
#include <gtest/gtest.h>

#include <sstream>

#include "harness/history/event_order.h"
#include "harness/history/history_file.h"
#include "tests/unit/history/event_streams.h"

namespace ordeal::harness {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::vector<event> events_on_the_page() {
  const message_id id{client_id{2}, room_id{0}, 7};
  const run_time intended = milliseconds(1500);
  const run_time sent = intended + microseconds(40);
  const auto received = [&](microseconds after, std::uint32_t client, std::uint32_t where) {
    return delivered{
        sent + after, client_id{client}, node_id{where}, room_id{0}, true, payload_state::intact,
        id,           intended};
  };
  return {phase_changed{milliseconds(1500), phase_kind::declared, "load"},
          send_invoked{sent, id, node_id{1}, intended},
          generator_lag{sent, sent - intended, false},
          received(microseconds(300), 4, 1),
          received(microseconds(310), 5, 0),
          send_settled{sent + microseconds(320), id, node_id{1}, outcome::ok, 1},
          received(microseconds(325), 5, 0),
          run_ended{milliseconds(2000), false, 0, ""}};
}

// Bytes are before the bar of a line, two digits each; what follows is for people.
std::string bytes_on_the_page() {
  std::istringstream page(bytes_of(ORDEAL_FORMATS_PAGE));
  std::string bytes, line;
  bool is_inside = false;
  while (std::getline(page, line)) {
    if (line.rfind("```", 0) == 0) {
      is_inside = line == "```hex";
      continue;
    }
    if (!is_inside) continue;
    std::istringstream digits(line.substr(0, line.find('|')));
    for (std::string pair; digits >> pair;)
      bytes += static_cast<char>(std::stoul(pair, nullptr, 16));
  }
  return bytes;
}

std::string in_hex(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char each : bytes) {
    const auto value = static_cast<unsigned char>(each);
    text += digits[value >> 4];
    text += digits[value & 15];
    text += ' ';
  }
  return text;
}

TEST(FormatsPage, TheExampleIsWhatIsWritten) {
  const scratch_directory in;
  history_options options;
  options.flush_interval = std::chrono::seconds(3600);
  const auto writer = history_writer::make(in.history(), "{}", options);
  for (const event& each : events_on_the_page()) writer->on(each);
  writer->finish();
  EXPECT_EQ(in_hex(bytes_on_the_page()), in_hex(bytes_of(in.history() / "000001.history")));
}

TEST(FormatsPage, TheExampleCanBeRead) {
  const scratch_directory in;
  std::filesystem::create_directory(in.history());
  write_bytes(in.history() / "000001.history", bytes_on_the_page());
  const auto reader = history_reader::open(in.history());
  EXPECT_EQ(reader->header(), "{}");
  expect_same(read_all(*reader), events_on_the_page());
  EXPECT_FALSE(reader->damage().has_value());
}

}  // namespace
}  // namespace ordeal::harness

// However the server's bytes arrive, the driver reports the same events; and after it said that the connection is
// over, it says nothing more.
#include <string>

#include "harness/drivers/signalr.h"
#include "tests/fuzz/target.h"
#include "tests/unit/fleet/recipe.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

struct event_text {
  std::string& into;
  void operator()(const driver_ready&) const { into += "ready"; }
  void operator()(const driver_acked& what) const {
    into += "acked " + std::to_string(what.request) + (what.is_error ? " error " : " ok ");
    into.append(what.error).append("|").append(what.cursor);
  }
  void operator()(const driver_received& what) const {
    into.append("received ").append(what.payload).append("|").append(what.room);
    into.append("|").append(what.cursor);
  }
  void operator()(const driver_reset& what) const { into.append("reset ").append(what.room); }
  void operator()(const driver_closing& what) const { into.append("closing ").append(what.reason); }
  void operator()(const driver_broken& what) const { into += "broken " + what.reason; }
};

bool is_last(const driver_event& what) {
  return std::holds_alternative<driver_closing>(what) ||
         std::holds_alternative<driver_broken>(what);
}

std::string events_of(std::string_view text, cut how) {
  const target of = make_reference_target();
  const std::unique_ptr<driver> speaker = make_driver(of);
  (void)speaker->on_open();
  (void)speaker->join(1, "room-1", std::nullopt);
  (void)speaker->join(2, "room-2", "log:1-5");
  (void)speaker->publish(3, "room-1", "id-1", "payload");
  std::string told;
  bool is_over = false;
  std::vector<driver_event> events;
  for (const std::string_view piece : pieces_of(text, how)) {
    const exact_copy frame(piece);
    events.clear();
    speaker->on_message(frame.view(), events);
    for (const driver_event& what : events) {
      ORDEAL_ASSERT(!is_over);
      is_over = is_last(what);
      std::visit(event_text{told}, what);
      told += '\n';
    }
  }
  return told;
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string_view text = text_of(bytes, size);
  const std::string wanted = events_of(text, cut::whole);
  ORDEAL_ASSERT(events_of(text, cut::single_bytes) == wanted);
  ORDEAL_ASSERT(events_of(text, cut::drawn) == wanted);
  return 0;
}

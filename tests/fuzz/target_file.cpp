// A target file is a target or has problems; and with the recipe of a target a driver writes calls that can be read.
#include "harness/drivers/driver.h"
#include "harness/scenario/problem_list.h"
#include "harness/target/contract.h"
#include "harness/target/target_loader.h"
#include "net/hub/codec.h"
#include "tests/fuzz/target.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::harness;

void expect_call(const std::string& record, const call_template& wanted, std::string_view id) {
  const auto call = net::hub::decode(std::string_view(record).substr(0, record.size() - 1));
  ORDEAL_ASSERT(call.has_value() && call->type == net::hub::message_type::invocation);
  ORDEAL_ASSERT(call->target == wanted.name && call->arguments->size() == wanted.arguments.size());
  ORDEAL_ASSERT(call->invocation_id == (wanted.has_ack ? id : ""));
}

void try_target(const target& of) {
  ORDEAL_ASSERT(!describe(of.promises).empty());
  const std::unique_ptr<driver> speaker = make_driver(of);
  ORDEAL_ASSERT(speaker->path().starts_with('/'));
  expect_call(speaker->join(1, "room", "cursor"), of.protocol.join, "1");
  expect_call(speaker->publish(2, "room", "id", "payload"), of.protocol.publish, "2");
  std::vector<driver_event> events;
  const std::string message = net::hub::encode_invocation(of.protocol.receive.name, {"text"});
  const std::string frame = "{}\x1e" + message;
  speaker->on_message(frame, events);
  ORDEAL_ASSERT(!events.empty() && std::holds_alternative<driver_ready>(events.front()));
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  const std::string text(text_of(bytes, size));
  const loaded_target found = parse_target(text, "fuzz.yaml", driver_names());
  ORDEAL_ASSERT(found.value.has_value() == found.problems.empty());
  (void)render_all(found.problems, text);
  if (found.value) try_target(*found.value);
  return 0;
}

// Whatever a client sends to the hub, and however it arrives, the hub answers in records that a client can read, and
// nothing of the connection is left when it is gone.
#include <boost/asio/io_context.hpp>

#include "net/async/task_group.h"
#include "net/hub/codec.h"
#include "reference-server/hub/chat_hub.h"
#include "tests/fuzz/target.h"
#include "tests/unit/chat/hub/fakes.h"

namespace ordeal::fuzz {
namespace {

using namespace ordeal::chat;
using namespace ordeal::chat::test;

class hub_under_test {
 public:
  hub_under_test() : tasks_(io_.get_executor()), log_(io_.get_executor()) {
    hub_limits limits;
    limits.pacing.pause_per_cost = 0;  // every flush at once
    hub_ = std::make_unique<chat_hub>(io_.get_executor(), limits, log_);
    tasks_.spawn("log", log_.run(*hub_));
    tasks_.spawn("hub", hub_->run());
    log_.publish("room", "id-0", "before");
    poll();
  }

  // What the client got.
  std::string talk(std::string_view text, cut how) {
    auto wire = std::make_shared<fake_wire>(io_.get_executor());
    net::http_request request;
    request.path = "/chat";
    tasks_.spawn("client", hub_->serve(request, std::make_unique<fake_socket>(wire)));
    poll();
    for (const std::string_view piece : pieces_of(text, how)) {
      if (wire->is_gone) break;
      wire->receive(std::string(piece));
      poll();
    }
    log_.publish("room", "id-1", "after");
    wire->hang_up();
    poll();
    std::string got;
    for (const std::string& frame : wire->frames) got += frame;
    return got;
  }

  void expect_nothing_left() {
    ORDEAL_ASSERT(hub_->session_count() == 0 && hub_->room_count() == 0);
    hub_->stop();
    poll();
    ORDEAL_ASSERT(tasks_.size() == 0);
  }

 private:
  void poll() {
    io_.restart();
    io_.poll();
  }

  boost::asio::io_context io_{1};
  net::task_group tasks_;
  fake_log log_;
  std::unique_ptr<chat_hub> hub_;
};

void expect_readable(std::string_view got) {
  bool is_first = true;
  while (!got.empty()) {
    const std::size_t end = got.find(net::hub::record_separator);
    ORDEAL_ASSERT(end != std::string_view::npos);
    const std::string_view record = got.substr(0, end);
    if (is_first) {
      ORDEAL_ASSERT(net::hub::decode_handshake_response(record).has_value());
    } else {
      const auto read = net::hub::decode(record);
      ORDEAL_ASSERT(read.has_value() && read->type != net::hub::message_type::other);
    }
    is_first = false;
    got.remove_prefix(end + 1);
  }
}

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  for (const cut how : {cut::whole, cut::drawn}) {
    hub_under_test hub;
    expect_readable(hub.talk(text_of(bytes, size), how));
    hub.expect_nothing_left();
  }
  return 0;
}

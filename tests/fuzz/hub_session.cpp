// Whatever a client sends to the hub, and however it arrives, the hub answers in records that a client can read, and
// nothing of the connection is left when it is gone. With stateful reconnect a byte 0x1D is the end of one socket and
// the start of the next: over all of them each number stands for one record, and none is left out.
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <map>

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

  // A session with stateful reconnect; what the client got on each of its sockets.
  std::vector<std::string> talk_over_sockets(std::string_view text) {
    std::vector<std::string> got;
    const std::string query = "id=" + negotiated_token();
    bool is_more = true;
    while (is_more) {
      const std::size_t end = text.find(socket_separator);
      net::http_request request;
      request.path = "/chat";
      request.query = query;
      if (hub_->admit(request).status != 101) break;
      auto wire = std::make_shared<fake_wire>(io_.get_executor());
      tasks_.spawn("client", hub_->serve(request, std::make_unique<fake_socket>(wire)));
      poll();
      wire->receive(std::string(text.substr(0, end)));
      poll();
      log_.publish("room", "id-" + std::to_string(got.size() + 1), "on the socket");
      poll();
      wire->hang_up();
      poll();
      log_.publish("room", "id-" + std::to_string(got.size() + 1) + "b", "between the sockets");
      poll();
      got.emplace_back();
      for (const std::string& frame : wire->frames) got.back() += frame;
      is_more = end != std::string_view::npos;
      if (is_more) text.remove_prefix(end + 1);
    }
    tasks_.spawn("drain", hub_->drain(net::now()));
    poll();
    return got;
  }

  void expect_nothing_left() {
    ORDEAL_ASSERT(hub_->session_count() == 0 && hub_->room_count() == 0);
    hub_->stop();
    poll();
    ORDEAL_ASSERT(tasks_.size() == 0);
  }

 private:
  static constexpr char socket_separator = '\x1d';

  std::string negotiated_token() {
    net::http_request request;
    request.method = "POST";
    request.query = "negotiateVersion=1&useStatefulReconnect=true";
    const auto answer = boost::json::parse(hub_->negotiate(request).body);
    return std::string(answer.as_object().at("connectionToken").as_string());
  }

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

// The client's side: it knows the numbers only from the Sequence and from counting.
class counting_client {
 public:
  void take_socket(std::string_view got) {
    bool is_first = true;
    while (!got.empty()) {
      const std::size_t end = got.find(net::hub::record_separator);
      const std::string_view record = got.substr(0, end);
      got.remove_prefix(end + 1);
      const bool is_handshake = is_first && !is_resuming_;
      if (!is_handshake) take(record, is_first);
      is_first = false;
    }
    is_resuming_ = true;
  }

 private:
  void take(std::string_view record, bool is_first) {
    const auto read = net::hub::decode(record);
    ORDEAL_ASSERT(read.has_value());
    ORDEAL_ASSERT(is_first == (read->type == net::hub::message_type::sequence));
    if (is_first) {
      ORDEAL_ASSERT(read->sequence_id >= 1 && read->sequence_id <= records_.size() + 1);
      next_ = read->sequence_id;
    } else if (net::hub::is_tracked(read->type)) {
      const auto [known, is_new] = records_.emplace(next_++, record);
      ORDEAL_ASSERT(is_new || known->second == record);
    }
  }

  std::map<std::uint64_t, std::string> records_;
  std::uint64_t next_ = 1;
  bool is_resuming_ = false;
};

}  // namespace
}  // namespace ordeal::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ordeal::fuzz;
  for (const cut how : {cut::whole, cut::drawn}) {
    hub_under_test hub;
    expect_readable(hub.talk(text_of(bytes, size), how));
    hub.expect_nothing_left();
  }
  hub_under_test hub;
  counting_client client;
  for (const std::string& got : hub.talk_over_sockets(text_of(bytes, size))) {
    client.take_socket(got);
  }
  hub.expect_nothing_left();
  return 0;
}

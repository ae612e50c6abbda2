#include "tests/integration/chat/log/redis_gate.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>

namespace ordeal::test {

namespace asio = boost::asio;

namespace {

void rethrow(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void redis_gate::pair::reset() {
  for (tcp::socket* socket : {&node, &redis}) {
    boost::system::error_code ignored;  // it is given up either way
    socket->set_option(asio::socket_base::linger(true, 0), ignored);
    socket->close(ignored);
  }
}

redis_gate::redis_gate(asio::io_context& io, std::uint16_t redis_port)
    : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()),
      upstream_port_(redis_port),
      changed_(io.get_executor()),
      self_(std::make_shared<redis_gate*>(this)) {
  asio::co_spawn(io, accept(self_), rethrow);
}

asio::awaitable<void> redis_gate::accept(std::shared_ptr<redis_gate*> self) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  while (*self != nullptr) {
    auto [ec, node] = co_await (*self)->acceptor_.async_accept(token);
    if (*self == nullptr || ec) co_return;
    redis_gate& gate = **self;
    tcp::socket redis(node.get_executor());
    boost::system::error_code refused;
    if (!gate.is_shut_)
      redis.connect(tcp::endpoint(asio::ip::address_v4::loopback(), gate.upstream_port_), refused);
    const auto both = std::make_shared<pair>(std::move(node), std::move(redis));
    if (gate.is_shut_ || refused) {
      both->reset();
      continue;
    }
    gate.open_.insert(both);
    const auto ex = both->node.get_executor();
    asio::co_spawn(ex, pump(self, both, true), rethrow);
    asio::co_spawn(ex, pump(self, both, false), rethrow);
  }
}

bool redis_gate::is_held(const pair& both, bool is_request) const {
  if (is_request) return requests_held_ || both.is_request_held;
  return replies_held_ || both.is_reply_held;
}

void redis_gate::look_at(pair& both, std::string_view request) {
  if (held_request_ && request.find(*held_request_) != std::string_view::npos) {
    both.is_request_held = true;
    has_held_request_ = true;
  }
  if (watched_ && request.find(*watched_) != std::string_view::npos) {
    both.is_reply_held = true;
    has_held_reply_ = true;
  }
}

asio::awaitable<void> redis_gate::pump(std::shared_ptr<redis_gate*> self,
                                       std::shared_ptr<pair> both, bool is_request) {
  const auto token = asio::as_tuple(asio::use_awaitable);
  tcp::socket& from = is_request ? both->node : both->redis;
  tcp::socket& to = is_request ? both->redis : both->node;
  std::array<char, 64U << 10> bytes;
  for (;;) {
    const auto buffer = asio::buffer(bytes);
    const auto [ec, size] = co_await from.async_read_some(buffer, token);
    if (ec || *self == nullptr) break;
    if (is_request) (*self)->look_at(*both, std::string_view(bytes.data(), size));
    while (*self != nullptr && (*self)->is_held(*both, is_request) && to.is_open())
      co_await (*self)->changed_.wait();
    const auto chunk = asio::buffer(bytes.data(), size);
    const auto [write_ec, written] = co_await asio::async_write(to, chunk, token);
    if (write_ec) break;
  }
  both->reset();
  if (*self == nullptr) co_return;
  (*self)->open_.erase(both);
  (*self)->changed_.notify_all();
}

void redis_gate::set(bool& flag, bool value) {
  flag = value;
  changed_.notify_all();
}

void redis_gate::release() {
  requests_held_ = replies_held_ = has_held_reply_ = has_held_request_ = false;
  watched_.reset();
  held_request_.reset();
  for (const auto& both : open_) both->is_reply_held = both->is_request_held = false;
  changed_.notify_all();
}

void redis_gate::cut() {
  for (const auto& both : open_) both->reset();
  changed_.notify_all();
}

void redis_gate::shut() {
  is_shut_ = true;
  cut();
}

void redis_gate::close() {
  *self_ = nullptr;
  cut();
  open_.clear();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

}  // namespace ordeal::test

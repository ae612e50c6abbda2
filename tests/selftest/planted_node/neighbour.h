// Another application on the same Redis, whose name begins like ours and whose rooms are called
// like ours. It talks all the time, in a log of its own; the node has to keep out of it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "net/async/condition.h"
#include "tests/selftest/planted_node/hub.h"
#include "tests/selftest/planted_node/stream.h"

namespace ordeal::planted {

class neighbour final : public stream_subscriber {
 public:
  // `chat` and `planted` outlive it; the name tells the neighbours of several nodes apart.
  neighbour(asio::any_io_executor ex, const net::redis::connection_options& redis, std::string key,
            std::string name, const hub& chat, bug& planted);

  // Until stop().
  asio::awaitable<void> run();
  void stop();

  void on_entries(std::vector<entry>) override {}

 private:
  asio::awaitable<void> talk();

  asio::any_io_executor ex_;
  std::string name_;
  const hub& chat_;
  stream log_;
  net::stop_event stopped_;
};

}  // namespace ordeal::planted

// The backplane: one Redis stream that all nodes append to and read. What every node delivers, and
// in which order, is the stream; a node that lost Redis continues where it had stopped reading.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/async/condition.h"
#include "net/redis/connection.h"
#include "tests/selftest/planted_node/bug.h"
#include "tests/selftest/planted_node/redis_calls.h"

namespace ordeal::planted {

class stream_subscriber {
 public:
  virtual ~stream_subscriber() = default;
  // In stream order; empty when the stream was quiet for a second.
  virtual void on_entries(std::vector<entry> batch) = 0;
};

struct append_result {
  call_status status = call_status::not_sent;
  std::optional<log_index> index;  // set when it is in the stream
  bool is_retryable = false;       // Redis refused it for now
  std::string reason;              // when it is not, or nobody knows
};

struct range_result {
  bool is_ok = false;
  std::vector<entry> entries;
  std::string reason;
};

class stream {
 public:
  // `planted` outlives it.
  stream(asio::any_io_executor ex, net::redis::connection_options options, std::string key,
         bug& planted);

  // Until stop(). `subscriber` outlives it.
  asio::awaitable<void> run(stream_subscriber& subscriber);
  void stop();

  bool is_ready() const { return calls_.is_connected() && position_ && !is_reader_lost_; }
  // The last entry read; nullopt before the first connection.
  const std::optional<log_index>& position() const { return position_; }

  // Appending a message again that is known by its id answers the index it has.
  asio::awaitable<append_result> append(entry what);
  // Both inclusive.
  asio::awaitable<range_result> range(log_index from, log_index to);

 private:
  asio::awaitable<void> read_loop(stream_subscriber& subscriber);
  asio::awaitable<void> read_until_error(stream_subscriber& subscriber);
  asio::awaitable<bool> find_end();

  asio::any_io_executor ex_;
  net::redis::connection_options options_;
  std::string key_;
  bug& planted_;
  const std::string append_script_;
  redis_calls calls_;
  std::unique_ptr<net::redis::connection> reader_;
  std::optional<log_index> position_;
  bool is_reader_lost_ = false;
  net::stop_event stopped_;
};

}  // namespace ordeal::planted

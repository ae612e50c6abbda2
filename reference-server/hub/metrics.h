// What /metrics says: every family of this server, created once with all its children at zero,
// filled at each scrape from the hub's counters and the log's health. Never a label per client,
// room or message.
#pragma once

#include <memory>
#include <string>

namespace ordeal::chat {

class chat_hub;
class chat_log;

class metrics {
 public:
  metrics(const chat_hub& hub, const chat_log& log);
  ~metrics();

  // The text exposition format, version 0.0.4.
  std::string scrape();

 private:
  struct families;

  const chat_hub& hub_;
  const chat_log& log_;
  std::unique_ptr<families> families_;
};

}  // namespace ordeal::chat

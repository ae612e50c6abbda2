// The bugs that can be planted. The node asks its bug at a few places and is correct when all
// answers are the defaults; whatever else a bug does, it does in bugs.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/selftest/planted_node/entry.h"

namespace ordeal::planted {

enum class publish_fate {
  append,     // into the stream, as it should be
  forget,     // acknowledged and dropped
  keep_local  // acknowledged, delivered by this node alone
};

class bug {
 public:
  virtual ~bug() = default;
  virtual publish_fate on_publish() { return publish_fate::append; }
  // What was just read from the stream and is about to be delivered; empty when the stream was
  // quiet for a second.
  virtual void on_read(std::vector<entry>& /*batch*/) {}
  virtual bool may_deliver_to(std::uint64_t /*client*/) { return true; }
  // The reader has a connection to Redis again. False: it never reads again.
  virtual bool on_redis_reconnect() { return true; }
  // Where the replay for a client that comes back with this cursor starts, as XRANGE writes it.
  virtual std::string replay_start(stream_id cursor) { return '(' + cursor.text(); }
};

// One row of the table: what the self-test must see.
struct bug_kind {
  std::string_view name;
  std::string_view finding;  // of interfaces.md; empty: none may be seen
  bool needs_fault;          // bites only after a client or the node lost a connection
  std::string_view sentence;
  std::unique_ptr<bug> (*make)(std::string_view node_name);
};

const std::vector<bug_kind>& bug_kinds();
const bug_kind* find_bug(std::string_view name);  // null: there is none of that name

}  // namespace ordeal::planted

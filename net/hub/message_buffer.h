// Stateful reconnect, one side of it: what the peer has not acknowledged yet, and what of the peer's records is new.
// Tracked records (is_tracked) are numbered from 1 in each direction over the life of the session, over all its
// sockets. No I/O, one thread.
//
//      new socket: reconnect() ──▶ each side: Sequence(first_unacked) · unacked records · what is new
//                                  and ignores everything until the other side's Sequence
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/hub/codec.h"

namespace ordeal::net::hub {

class message_buffer {
 public:
  using record_ptr = std::shared_ptr<const std::string>;

  // `bytes_max`: so much may be on its way unacknowledged.
  explicit message_buffer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // ---- what we send

  // How many bytes of tracked records may be sent now. While it is 0, nothing but untracked ones.
  std::size_t room_bytes() const { return bytes_ < bytes_max_ ? bytes_max_ - bytes_ : 0; }

  // A tracked record goes out on the present socket. It is kept until it is acknowledged; one record may exceed
  // bytes_max, so that there is always progress.
  void track(record_ptr record);

  // The peer has everything up to `sequence_id`. False: that was never sent, the peer is broken.
  bool on_ack(std::uint64_t sequence_id);

  // For our Sequence: the first unacknowledged record, or the next one to come.
  std::uint64_t first_unacked() const { return sent_count_ - unacked_.size() + 1; }

  // What a new socket has to be sent again, before anything else.
  bool has_rewrites() const { return rewrite_id_ <= sent_count_; }
  void take_rewrites(std::vector<record_ptr>& frame, std::size_t frame_bytes_max);

  std::size_t bytes() const { return bytes_; }

  // ---- what we receive

  enum class verdict { process, ignore };
  // Of every record that is neither ack nor sequence.
  verdict on_record(message_type type, std::size_t record_bytes);

  // False: the peer is ahead of what we have received, or no Sequence was due.
  bool on_sequence(std::uint64_t sequence_id);
  bool is_waiting_for_sequence() const { return is_waiting_for_sequence_; }

  // The number to acknowledge; nullopt when the peer knows already. Taken: it counts as sent.
  std::optional<std::uint64_t> take_ack();
  // So much came since the last ack that the peer's own buffer may be about to fill up.
  bool is_ack_urgent() const { return unreported_bytes_ >= bytes_max_ / 4; }

  // ---- both

  // The session goes on with a new socket.
  void reconnect();

 private:
  std::size_t bytes_max_;
  std::deque<record_ptr> unacked_;
  std::size_t bytes_ = 0;
  std::uint64_t sent_count_ = 0;
  std::uint64_t rewrite_id_ = 1;  // the next one to be sent again; above sent_count_: none

  std::uint64_t next_received_ = 1;  // the number of the next tracked record of this socket
  std::uint64_t processed_ = 0;      // the highest number ever
  std::size_t unreported_bytes_ = 0;
  bool is_ack_due_ = false;
  bool is_waiting_for_sequence_ = false;
};

}  // namespace ordeal::net::hub

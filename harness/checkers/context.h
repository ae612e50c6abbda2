// What lies around a finding: the last ten deliveries of each client, the last messages of each sender, and for a
// message that is skipped, how both looked when that showed: it counts as lost only at the end, when both are gone.
// Constant memory a client and a sender, and for a bounded number of gaps.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "harness/checkers/finding.h"
#include "harness/checkers/ledger.h"

namespace ordeal::harness {

class context {
 public:
  // `on_gap` is called when a message is skipped: it may be lost, though that is certain only much later.
  context(const ledger& book, std::function<void()> on_gap);

  // After the ledger.
  void on(const send_invoked& what);
  void on(const send_settled& what);
  void on(const delivered& what);
  template <class Event>
  void on(const Event&) {}

  std::shared_ptr<const surroundings> describe(const finding& what) const;

 private:
  static constexpr std::size_t deliveries_kept = 10;
  static constexpr std::size_t sends_kept = 16;
  static constexpr std::uint32_t neighbours_each_side = 2;
  static constexpr std::size_t gaps_kept = 256;

  struct deliveries {
    std::array<surroundings::arrival, deliveries_kept> ring;
    std::uint32_t next = 0, count = 0;
  };
  struct sends {
    std::array<surroundings::neighbour, sends_kept> ring;  // by seq
    std::uint32_t latest_seq = 0;
  };
  struct gap {
    seat_index member = no_seat, sender = no_seat;
    std::uint32_t first = 0, end = 0;  // [first, end) had been skipped
    std::shared_ptr<surroundings> around;
  };

  void note_gap(const delivered& what, const reception& now);
  void forget_closed_gaps();
  bool is_any_open(seat_index sender, std::uint32_t from, const message_id& until) const;
  void add_deliveries(client_id client, surroundings& to) const;
  void add_neighbours(seat_index sender, seat_index member, std::uint32_t first, std::uint32_t last,
                      surroundings& to) const;
  bool find_itself(seat_index sender, std::uint32_t seq, surroundings::neighbour& to) const;
  const gap* find_gap(seat_index member, seat_index sender, std::uint32_t seq) const;

  const ledger& book_;
  std::vector<deliveries> clients_;
  std::vector<sends> senders_;  // by seat
  std::vector<gap> gaps_;       // the first ones that have not closed
  std::size_t gaps_left_out_ = 0;
  std::function<void()> on_gap_;
};

}  // namespace ordeal::harness

// When all is over and healed, a fresh message from every node reaches every client. Names who
// stays deaf or mute. In each room that the plan has on a node somebody sends there, and somebody is there to hear
// the other nodes: a node that nobody measured is no pass.
#include <algorithm>

#include "harness/checkers/checkers.h"

namespace ordeal::harness {
namespace {

class probe final : public checker {
 public:
  explicit probe(const bench& at)
      : at_(at),
        node_count_(at.of.nodes),
        expected_(node_count_ * node_count_, 0),
        missed_(node_count_ * node_count_, 0),
        clients_(at.book.seats().client_count()),
        room_count_(at.book.seats().room_count()),
        places_(node_count_ * room_count_) {
    for (const seat_terms& client : at.of.clients) {
      for (const room_id room : client.rooms) place_of(client.home, room).is_planned = true;
    }
  }
  const char* id() const override { return "probe"; }

  void on(const send_invoked& what) override {
    if (!at_.book.is_probing()) return;
    ++sent_count_;
    place_of(what.node, what.id.room).was_heard = true;
    for (const seat_index member : at_.book.seats().in_room(what.id.room)) {
      if (!at_.book.has_claim(member)) continue;
      const client_id client = at_.book.seats()[member].client;
      ++clients_[index_of(client)].expected;
      const node_id node = at_.book.node_of(client);
      ++expected_[pair_of(what.node, node)];
      if (node != what.node) place_of(node, what.id.room).was_told = true;
    }
  }

  void on(const send_settled& what) override {
    if (what.result != outcome::fail || !at_.book.last_settled().is_probe) return;
    report_stuck(what.at, std::nullopt, what.node,
                 "the probe " + name_of(what.id) + " was refused by " + name_of(what.node));
  }

  check_result finish(run_time at) override {
    if (sent_count_ == 0) {
      return {
          id(), verdict::inconclusive,
          at_.end.was_cut_short ? "the run was cut short before the probe" : "no probe was sent"};
    }
    if (at_.end.is_torn)
      return {id(), verdict::inconclusive, "the history breaks off during the probe"};
    note_missed();
    note_absent();
    report_silent_nodes(at);
    report_clients(at);
    if (problem_count_ > 0) {
      const bool is_doubtful = at_.book.faults().has_failed();
      return {id(), is_doubtful ? verdict::inconclusive : verdict::fail,
              counted(problem_count_, "client or node", "clients or nodes") +
                  " stuck after the heal; first: " + first_problem_ +
                  (is_doubtful ? "; " + doubt(at_) : "")};
    }
    const std::string unmeasured = describe_unmeasured();
    if (!unmeasured.empty()) return {id(), verdict::inconclusive, unmeasured};
    std::string detail = counted(sent_count_, "probe", "probes");
    detail += missed_count_ == 0 ? " reached every client on every node"
                                 : ", " + counted(missed_count_, "delivery", "deliveries") +
                                       " missing (the contract allows that)";
    return {id(), verdict::pass, detail};
  }

 private:
  struct client_probes {
    std::uint64_t expected = 0, missed = 0;
    std::optional<node_id> missed_from;
    std::optional<room_id> absent_from;
  };

  // A node in a room: was a probe sent there, and one from elsewhere owed to somebody there?
  struct place {
    bool is_planned = false, was_heard = false, was_told = false;
  };
  place& place_of(node_id node, room_id room) {
    return places_.at(index_of(node) * room_count_ + index_of(room));
  }

  bool has_sent(std::size_t node) const {
    const auto first = places_.begin() + static_cast<std::ptrdiff_t>(node * room_count_);
    return std::any_of(first, first + static_cast<std::ptrdiff_t>(room_count_),
                       [](const place& at) { return at.was_heard; });
  }

  std::size_t pair_of(node_id origin, node_id node) const {
    return index_of(origin) * node_count_ + index_of(node);
  }

  void note_missed() {
    at_.book.for_each_open([&](seat_index sender, std::uint32_t seq, const open_message& message) {
      if (!message.is_probe) return;
      at_.book.for_each_creditor(sender, seq, [&](seat_index member) {
        const client_id client = at_.book.seats()[member].client;
        client_probes& of = clients_[index_of(client)];
        ++of.missed;
        ++missed_count_;
        if (!of.missed_from) of.missed_from = message.origin;
        ++missed_[pair_of(message.origin, at_.book.node_of(client))];
      });
    });
  }

  void note_absent() {
    const seating& seats = at_.book.seats();
    for (seat_index member = 0; member < seats.size(); ++member) {
      if (!at_.book.is_absent(member)) continue;
      clients_[index_of(seats[member].client)].absent_from = seats[member].room;
    }
  }

  // Every node where clients are (or were last) should have sent one.
  void report_silent_nodes(run_time at) {
    for (std::size_t n = 0; n < node_count_; ++n) {
      if (has_sent(n) || !at_.book.faults().is_node_used(n)) continue;
      report_stuck(at, std::nullopt, node_id(n),
                   "no client of " + name_of(node_id(n)) + " could send a probe");
    }
  }

  // "nobody sent a probe on node-2 in room-1; nobody heard the others on node-2 in room-1"; empty: all were measured.
  std::string describe_unmeasured() {
    std::string mute, deaf;
    for (std::size_t r = 0; r < room_count_; ++r) {
      std::size_t speakers = 0;
      for (std::size_t n = 0; n < node_count_; ++n) {
        const place& at = place_of(node_id(n), room_id(r));
        speakers += at.is_planned && at.was_heard ? 1 : 0;
      }
      for (std::size_t n = 0; n < node_count_; ++n) {
        const place& at = place_of(node_id(n), room_id(r));
        if (!at.is_planned) continue;
        const std::string name = name_of(node_id(n)) + " in " + name_of(room_id(r));
        if (!at.was_heard) mute += (mute.empty() ? "nobody sent a probe on " : ", ") + name;
        if (!at.was_told && speakers > (at.was_heard ? 1 : 0))
          deaf += (deaf.empty() ? "nobody was there to hear the others on " : ", ") + name;
      }
    }
    return mute + (mute.empty() || deaf.empty() ? "" : "; ") + deaf;
  }

  void report_clients(run_time at) {
    // Where single losses are allowed, only silence is a proof.
    const bool is_lenient = at_.of.promises.delivery == delivery_promise::best_effort;
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      const client_probes& of = clients_[c];
      const node_id node = at_.book.node_of(client_id(c));
      const std::string who = name_of(client_id(c)) + " on " + name_of(node);
      if (of.missed > 0 && !(is_lenient && of.missed < of.expected)) {
        report_stuck(at, client_id(c), node,
                     who + " missed " + std::to_string(of.missed) + " of " +
                         std::to_string(of.expected) + " probes, the first from " +
                         name_of(*of.missed_from) + diagnosis(*of.missed_from, node));
      } else if (of.absent_from) {
        report_stuck(at, client_id(c), node,
                     who + " never came back into " + name_of(*of.absent_from) +
                         text_of_cut(at_, client_id(c)));
      }
    }
  }

  // A pair of nodes alone, or is one of the two cut off altogether?
  std::string diagnosis(node_id origin, node_id node) const {
    bool is_deaf = true, is_mute = true;
    for (std::size_t n = 0; n < node_count_; ++n) {
      const std::size_t to_node = pair_of(node_id(n), node),
                        from_origin = pair_of(origin, node_id(n));
      if (expected_[to_node] > missed_[to_node] && node_id(n) != node) is_deaf = false;
      if (expected_[from_origin] > missed_[from_origin] && node_id(n) != origin) is_mute = false;
    }
    if (is_deaf && node_count_ > 2)
      return " (" + name_of(node) + " is deaf: it hears no other node)";
    if (is_mute && node_count_ > 2)
      return " (" + name_of(origin) + " is mute: no other node hears it)";
    return {};
  }

  void report_stuck(run_time at, std::optional<client_id> client, node_id node,
                    const std::string& sentence) {
    if (problem_count_++ == 0) first_problem_ = sentence;
    finding found;
    found.kind = finding_kind::stuck;
    found.at = at;
    found.client = client;
    found.node = node;
    report(at_, std::move(found), [&] { return sentence; });
  }

  const bench at_;
  std::size_t node_count_;
  std::vector<std::uint64_t> expected_, missed_;  // by (origin, node)
  std::vector<client_probes> clients_;
  std::size_t room_count_;
  std::vector<place> places_;  // by node and room
  std::uint64_t sent_count_ = 0, missed_count_ = 0, problem_count_ = 0;
  std::string first_problem_;
};

}  // namespace

std::unique_ptr<checker> make_probe(const bench& at) {
  return std::make_unique<probe>(at);
}

}  // namespace ordeal::harness

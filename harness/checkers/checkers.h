// The checkers there are, one file each, and what they share. Everything in `bench` is folded
// before the checkers see an event, outlives them, and is read only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/checkers/checker.h"
#include "harness/checkers/context.h"
#include "harness/checkers/ending.h"
#include "harness/checkers/ledger.h"
#include "harness/checkers/reach.h"
#include "harness/checkers/tally.h"
#include "harness/checkers/timings.h"

namespace ordeal::harness {

struct bench {
  const terms& of;
  const ledger& book;
  const timings& times;
  const context& around;
  const reach& touched;
  tally& found;
  const ending& end;  // set before finish()
};

std::unique_ptr<checker> make_delivery(const bench& at);
std::unique_ptr<checker> make_acknowledgement(const bench& at);
std::unique_ptr<checker> make_honesty(const bench& at);
std::unique_ptr<checker> make_late(const bench& at);
std::unique_ptr<checker> make_liveness(const bench& at);
std::unique_ptr<checker> make_duplicates(const bench& at);
std::unique_ptr<checker> make_order(const bench& at);
std::unique_ptr<checker> make_total_order(const bench& at);
std::unique_ptr<checker> make_integrity(const bench& at);
std::unique_ptr<checker> make_isolation(const bench& at);
std::unique_ptr<checker> make_recovery(const bench& at);
std::unique_ptr<checker> make_probe(const bench& at);
std::unique_ptr<checker> make_nodes(const bench& at);
std::unique_ptr<checker> make_resources(const bench& at);
std::unique_ptr<checker> make_connections(const bench& at);
// How its detail begins when no node used the backplane: then everything else follows from that.
inline constexpr std::string_view backplane_unused = "nothing ever went through Redis";
std::unique_ptr<checker> make_backplane(const bench& at);
std::unique_ptr<checker> make_faults(const bench& at);
std::unique_ptr<checker> make_traffic(const bench& at);
std::unique_ptr<checker> make_generator(const bench& at);
std::unique_ptr<checker> make_observer(const bench& at);
std::unique_ptr<checker> make_clock(const bench& at);
// One for each row under `expect:`.
std::vector<std::unique_ptr<checker>> make_expectations(const bench& at);

// A finding about a delivery: who got what, where and when; `fault` is left open.
finding about(finding_kind kind, const delivered& what);
// ... about a message that a member of its room did not get. Its time is that of the send: an absence has none.
finding about(finding_kind kind, const bench& at, seat_index sender, std::uint32_t seq,
              const open_message& message, seat_index member);
// The outage a delivery falls into: that of its send, or the one that is on.
std::optional<std::size_t> outage_of(const bench& at, const reception& what);

// Hands a finding in; its sentence is composed only when somebody will read it.
template <class Sentence>
void report(const bench& at, finding what, Sentence sentence) {
  if (what.messages == 0) what.messages = at.book.totals().sent;
  if (at.found.wants_detail(what.kind)) what.detail = sentence();
  if (at.found.wants_surroundings(what.kind)) what.around = at.around.describe(what);
  at.found.on(std::move(what));
}

// May a message that was lost within an outage, or outside of any, be lost under this contract?
bool is_allowed(const contract& promises, bool is_in_outage);
// What of the things owed at the end of the history is lost? All of it, as the drain has waited for it; but of a torn
// history only what a later message of the same sender has overtaken while the contract promises order.
bool is_lost(const bench& at, seat_index member, seat_index sender, std::uint32_t seq);
// A fault that was never seen healed, or whose effect is unknown, may be the reason that this is missing.
bool is_doubtful(const bench& at, const open_message& message);
// ... in words: "cut was never seen healed, so ..."
std::string doubt(const bench& at);

// "+151.2s"
std::string text_of(run_time at);
// "1.25s", "340ms", "12us"
std::string text_of_duration(std::chrono::nanoseconds value);
// "1 message", "3 messages"
// Why Ordeal itself ended a connection: "the server was silent".
const char* reason_of(cut_cause cause);
// Whether it ended the client's last one: "; its last connection was cut by us: ...", or nothing.
std::string text_of_cut(const bench& at, client_id client);
std::string counted(std::uint64_t count, const char* singular, const char* plural);
// Where the findings of a kind fall: "all inside cut", "2 inside cut, 1 outside of any outage".
std::string whereabouts(const bench& at, finding_kind kind);
// "; first: <the first example's sentence>", or empty.
std::string first_example(const bench& at, finding_kind kind);

}  // namespace ordeal::harness

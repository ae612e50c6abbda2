#include "harness/scenario/glossary.h"

namespace ordeal::harness {
namespace {

constexpr glossary_entry checks[] = {
    {"delivery",
     "Every acknowledged message reaches every client that was in its room; a refused one "
     "nobody. Counts lost, once for each client that a message never reached, and phantom for "
     "a refused message that was delivered. best_effort_in_outage lets go what is sent, or "
     "still under way, inside an outage; best_effort everything. A message is lost when it has "
     "not come by the end, after the run has drained. Inconclusive: all that is missing was "
     "sent since a fault that failed, or up to 1s before it, so it may be that fault's doing; "
     "or a history breaks off while messages are under way."},
    {"honesty",
     "Nothing is lost in silence: the sender is refused, or the client is told by a reset or "
     "loses its connection. Counts silent_loss: a delivery that was owed and never came, of "
     "which nobody was told. A reset tells of everything sent up to it. A target that promises "
     "to resume must tell even of what its delivery contract lets it lose; any other only of "
     "what delivery would convict, too. Inconclusive: all of it may be the doing of a fault "
     "that failed."},
    {"late",
     "Nothing arrives later than the promised recovery after it was acknowledged, the last "
     "fault healed and the client joined. Counts late, once a delivery; the bound is recovery "
     "of the contract, from the latest of those three moments. What arrives while a fault is "
     "in effect is never late, and what delivery would let the target lose may be late. "
     "Inconclusive: something was late, but the generator lagged, Ordeal's own event loop was "
     "held up or the clock jumped (see generator, observer, clock)."},
    {"liveness",
     "No client waits in silence longer than the promised recovery while its room goes on. "
     "Counts stuck. Silence is measured from the last message the client got, the first "
     "trouble of its connection since then, or the last heal, whichever is latest; the bound "
     "is recovery of the contract and one round of the load, so that each member could have "
     "sent once (three rounds with poisson arrivals). It is too long when a message was "
     "acknowledged that long ago and nothing came since. Skipped when the run is shorter than "
     "the bound; inconclusive as late."},
    {"duplicates", "No client gets a message twice."},
    {"order", "Each client gets the messages of one sender in a room in the order they were sent."},
    {"total_order", "All clients of a room agree on the order of its messages."},
    {"integrity",
     "Every payload arrives unaltered, and nothing arrives that was never sent in this run."},
    {"isolation", "No message reaches a room that it was not sent to."},
    {"acknowledgement", "No message is acknowledged and then delivered to nobody."},
    {"recovery",
     "After each fault every node hears every other one again within the contract's bound, and a "
     "round of the load; the time counts from the confirmed heal. Where all clients have gone from "
     "a node, a deputy of Ordeal's own comes, hears and speaks. Inconclusive: nobody could be on a "
     "node, or nothing was sent."},
    {"probe",
     "At the end a fresh message from every node reaches every client, in each room that the plan "
     "has on the node. Inconclusive: on a node nobody sent one, or nobody was there to hear those "
     "of the other nodes."},
    {"nodes", "No node exits unless a fault made it."},
    {"resources",
     "No node's memory or descriptors climb without end outside of outages, and none burns a "
     "core while it waits for Redis. Counts leak. Growth is convicted when it goes on from the "
     "first third of the load to the last, steadily, by 30 % and at least 32 MiB or 32 "
     "descriptors; it takes 180 s (memory) or 60 s (descriptors) of load outside of outages "
     "and as many samples. Spinning is 3 seconds in a row of an outage at 90 % of a core, used "
     "or waited for, in a node that is below 50 % otherwise. What was too short to tell is "
     "said; skipped when nothing could be judged."},
    {"connections",
     "The nodes do not open ever more connections to Redis, and clients do not keep losing "
     "theirs without an outage. Counts leak, for connections to Redis that rise through 60 s "
     "of load by more than two a node, or that stay, from 2 s after an outage on and for 3 "
     "samples in a row, above the most seen before the first one by more than three a node (at "
     "least 4). Clients may lose 9 connections outside of outages, or one each a minute, "
     "whichever is more. Only a managed Redis shows its connections."},
    {"backplane",
     "Every node was seen to use the Redis under test, on its link, before the first fault; and "
     "every "
     "fault of Redis or of a link could touch a node that did (`could touch` in the summary). "
     "Finds nothing against the target. "
     "Inconclusive otherwise, as who is elsewhere survives anything. Skipped for a target that "
     "declares `backplane: none`."},
    {"faults",
     "Every fault was confirmed to be in effect, and to be healed, by an independent observation."},
    {"generator",
     "The load left on schedule; a saturated generator proves nothing. Finds nothing against "
     "the target. Inconclusive: the 99th percentile of how late sends left is above 100 ms, "
     "it left out more than 1 % of the sends (what nobody could send as the target was away does "
     "not count), or nothing was sent. With such a lag a failure "
     "of recovery, late or liveness is inconclusive, too: it may be Ordeal's own."},
    {"observer",
     "Ordeal's own event loop and queues kept up; one that did not proves nothing. Finds "
     "nothing against the target. Inconclusive: the loop stood still for more than 1 s, used "
     "95 % of its core for 3 seconds in a row, a queue had no room for an event, or nobody "
     "looked in 10 s of load; use fewer clients or a lower rate then. Except for the last, a "
     "failure of recovery, late or liveness is then inconclusive, too."},
    {"clock",
     "The wall clock was not set and the machine was not suspended. Finds nothing against the "
     "target. Inconclusive: the wall clock and the monotonic one disagreed by more than 100 ms "
     "about how long a second was, or the machine slept; servers whose sessions and timeouts hang "
     "on the clock may do anything then. A failure of recovery, late or liveness is inconclusive, "
     "too."},
    {"traffic",
     "There was traffic while it mattered; silence proves nothing. Finds nothing against the "
     "target. Inconclusive: a phase (unless its rate is 0/s) without a message that was sent, "
     "acknowledged and owed to "
     "somebody; no message while a fault was in effect for longer than 500 ms and ten sends; "
     "less than 99 % of the planned messages sent, where those count that nobody could send as the "
     "target was away in an outage; or, away from outages, less than 99 % of "
     "the deliveries owed that there would be if everybody were there and everything "
     "acknowledged."},
};

constexpr glossary_entry findings[] = {
    {"lost", "An acknowledged message never reached a client that had to get it."},
    {"duplicate", "A client got a message twice."},
    {"reordered", "A client got two messages of one sender in the wrong order."},
    {"diverged", "Two clients of a room disagree on the order of its messages."},
    {"phantom", "A client got something that was never sent, or belongs to another run."},
    {"corrupt", "A payload was altered on its way."},
    {"misdelivered", "A message reached a room that it was not sent to."},
    {"false_ack", "A message was acknowledged and delivered to nobody."},
    {"late", "A message arrived later than the contract's bound allows."},
    {"stuck", "A node or client receives nothing after everything is healed."},
    {"silent_loss", "Something was lost, and neither the sender nor the client was told."},
    {"node_exit", "A node exited though no fault made it."},
    {"leak",
     "A node's memory, descriptors or connections grew and did not come back, or it used a core "
     "while idle."},
};

constexpr glossary_entry verdicts[] = {
    {"pass", "Every check had what it needs, and nothing is wrong."},
    {"fail", "A violation of the target's contract is proven."},
    {"inconclusive",
     "Nothing wrong was seen, but too little to say that all is well; never green."},
    {"error", "The check or the run itself broke."},
    {"skipped", "It does not apply to this target or this machine; the reason is given."},
};

constexpr glossary_entry exit_codes[] = {
    {"0", "pass: every check of every scenario passed, or was skipped with a reason."},
    {"1",
     "violation: at least one check proved that the target broke its contract. See CHECKS, and "
     "violations.jsonl in the results; the replay command runs the same plan again."},
    {"2",
     "bad command line: nothing was started; the message names the flag or argument and the "
     "remedy."},
    {"3",
     "invalid scenario or target file: nothing was started; `ordeal validate FILE` shows every "
     "problem with its place."},
    {"4",
     "nothing selected or nothing ran: a folder without scenarios, or a selection that leaves "
     "none; `ordeal list scenarios` shows what there is."},
    {"5",
     "inconclusive: nothing wrong was seen, but too little to pass: no traffic in a window, a "
     "fault "
     "that was never confirmed, a generator that fell behind, a run that was cut short. WHY "
     "names the reason; mend that and run again."},
    {"6",
     "environment: Redis or the target never became ready, or this machine lacks something that "
     "the "
     "run needs. WHY names it; logs/ in the results has what the processes printed."},
    {"7",
     "refused by a safety guard: the run could have harmed something that is not its own; the "
     "message says what would allow it."},
    {"8",
     "results could not be written: no space, no permission, or no such folder; see --results and "
     "--junit."},
    {"10", "internal error: a bug in ordeal; please report the message with the command."},
    {"130",
     "interrupted (Ctrl-C): faults were healed, processes ended and results written; a second "
     "Ctrl-C ends everything at once."},
    {"143", "terminated (SIGTERM): ended in order, as with one Ctrl-C."},
};

constexpr metric_entry metrics[] = {
    {"recovery_time", metric_unit::seconds, false, true,
     "From a fault's confirmed heal until every node's messages arrive on every node again."},
    {"delivery_latency", metric_unit::seconds, true, false,
     "From the intended send time of a message until a client gets it."},
    {"generator_lag", metric_unit::seconds, false, false,
     "How late sends left, against their intended time."},
    {"lost", metric_unit::count, false, false,
     "Acknowledged messages that never reached a client, counted by client."},
    {"duplicate", metric_unit::count, false, false, "Messages that a client got again."},
    {"reordered", metric_unit::count, false, false, "Messages out of their sender's order."},
    {"diverged", metric_unit::count, false, false,
     "Disagreements of two clients on a room's order."},
    {"phantom", metric_unit::count, false, false, "Deliveries of what was never sent."},
    {"corrupt", metric_unit::count, false, false, "Altered payloads."},
    {"misdelivered", metric_unit::count, false, false, "Messages in the wrong room."},
    {"false_ack", metric_unit::count, false, false, "Acknowledged messages delivered to nobody."},
    {"late", metric_unit::count, false, false, "Deliveries beyond the contract's bound."},
    {"stuck", metric_unit::count, false, false,
     "Nodes or clients that receive nothing after heal."},
    {"silent_loss", metric_unit::count, false, false, "Losses without any notice."},
    {"node_exit", metric_unit::count, false, false, "Unplanned exits of nodes."},
    {"leak", metric_unit::count, false, false,
     "Nodes whose memory or connections did not come back."},
};

}  // namespace

std::span<const glossary_entry> check_entries() {
  return checks;
}
std::span<const glossary_entry> finding_entries() {
  return findings;
}
std::span<const glossary_entry> verdict_entries() {
  return verdicts;
}
std::span<const glossary_entry> exit_code_entries() {
  return exit_codes;
}
std::span<const metric_entry> metric_entries() {
  return metrics;
}

const metric_entry* find_metric(std::string_view name) {
  for (const metric_entry& metric : metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

expected_stat default_stat(const metric_entry& metric) {
  return metric.unit == metric_unit::count ? expected_stat::count : expected_stat::max;
}

bool has_stat(const metric_entry& metric, expected_stat stat) {
  return (metric.unit == metric_unit::count) == (stat == expected_stat::count);
}

}  // namespace ordeal::harness

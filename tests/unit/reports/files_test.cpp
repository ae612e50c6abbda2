// What is written to files: snapshots, and what hostile text must not do to them.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/json_text.h"
#include "reports/jsonl.h"
#include "reports/junit.h"
#include "reports/summary_json.h"
#include "reports/summary_md.h"
#include "reports/text.h"
#include "tests/unit/reports/sample_record.h"

namespace ordeal::report {
namespace {

namespace json = boost::json;

const std::string hostile = "a<b>&\"c\" ]]> \x01\x1b[31m \xFF\xC3 \xEF\xBF\xBF | `d`\nnext";

// --- text

TEST(ReportText, GroupsAndShortens) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(4530600), "4 530 600");
  EXPECT_EQ(duration_text(0.31), "0.3s");
  EXPECT_EQ(duration_text(151), "2m31s");
  EXPECT_EQ(duration_text(11100), "3h05m");
  EXPECT_EQ(latency_text(9.949), "9.9ms");
  EXPECT_EQ(latency_text(11.4), "11ms");
  EXPECT_EQ(latency_text(3105), "3.1s");
}

TEST(ReportText, CleansWhatIsNoTextAtAll) {
  EXPECT_EQ(clean_text("plain é ✓\n"), "plain é ✓\n");
  EXPECT_EQ(clean_text("\x01\x1b[2J\x7f"), "\\u{1}\\u{1b}[2J\\u{7f}");
  EXPECT_EQ(clean_text("\xC2\x9B"), "\\u{9b}") << "another way to begin a control sequence";
  EXPECT_EQ(clean_text("a\xE2\x80\xAE"
                       "b"),
            "a\\u{202e}b")
      << "from right to left";
  EXPECT_EQ(clean_text("a\xE2\x81\xA6\xE2\x80\xA8"), "a\\u{2066}\\u{2028}");
  EXPECT_EQ(clean_text("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(clean_text("\xC3"), "\xEF\xBF\xBD") << "cut off";
  EXPECT_EQ(clean_text("\xC0\x80").size(), 6U) << "overlong";
  EXPECT_EQ(clean_text("\xED\xA0\x80"), "\\u{d800}") << "a surrogate";
  EXPECT_EQ(clean_text("\xEF\xBF\xBF"), "\\u{ffff}");
}

TEST(ReportText, IsNoCommandOfACiService) {
  EXPECT_EQ(terminal_text("::error::x\n  ::warning::y\r\t::z a::b"),
            "\\::error::x\n  \\::warning::y\r\t\\::z a::b");
  EXPECT_EQ(terminal_text("a ##[group]b #[c]"), "a #\\#[group]b #[c]");
  EXPECT_EQ(terminal_text("\x1b::x"), "\\u{1b}::x");
}

TEST(ReportText, CapsBetweenCharacters) {
  std::string long_text;
  for (int i = 0; i < 1000; ++i) long_text += "é";
  const std::string cut = capped(long_text, 101);
  EXPECT_LT(cut.size(), 150U);
  EXPECT_EQ(clean_text(cut), cut);
  EXPECT_NE(cut.find("bytes left out"), std::string::npos);
  EXPECT_EQ(capped("short", 100), "short");
}

// --- JSON

TEST(JsonText, WritesNumbersAsPeopleDo) {
  const json::value value =
      json::object{{"a", 5.01}, {"b", 17.0}, {"c", 1e-9}, {"d", std::uint64_t{42}}, {"e", nullptr}};
  EXPECT_EQ(json_text(value), R"({"a": 5.01, "b": 17, "c": 1e-09, "d": 42, "e": null})");
  EXPECT_EQ(json::parse(json_text(value)).at("a").as_double(), 5.01);
  EXPECT_EQ(json_text(json::value(std::numeric_limits<double>::infinity())), "null");
}

TEST(JsonText, IsValidWhateverTheStringsHold) {
  const std::string text = json_text(json::object{{hostile, hostile}});
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_NO_THROW(json::parse(text));
}

TEST(SummaryJson, HasWhatInterfacesPromises) {
  const json::value page = json::parse(summary_json(sample_record()));
  EXPECT_EQ(page.at("schema_version").as_int64(), 1);
  EXPECT_EQ(page.at("verdict").as_string(), "fail");
  EXPECT_EQ(page.at("exit_code").as_int64(), 1);
  EXPECT_EQ(page.at("totals").at("obligations").as_int64(), 67200);
  EXPECT_EQ(page.at("findings").at("lost").as_int64(), 3);
  EXPECT_EQ(page.at("checks").as_array().size(), 4U);
  EXPECT_EQ(page.at("checks").at(1).at("id").as_string(), "delivery");
  EXPECT_EQ(page.at("faults").at(0).at("active_s").as_double(), 17.01);
  EXPECT_EQ(page.at("faults").at(0).at("could_touch"), json::array({"node-2"}));
  EXPECT_EQ(page.at("faults").at(0).at("recovery_s").at("node-2").as_double(), 3.94);
  EXPECT_TRUE(page.at("faults").at(0).at("recovery_s").at("node-3").is_null());
  EXPECT_EQ(page.at("latency_ms").at("steady_p99").as_double(), 4.2);
  EXPECT_EQ(page.at("generator").at("skipped").as_int64(), 0);
  EXPECT_EQ(page.at("cost").at("server_cpu_us_per_delivery").as_double(), 9.1);
  EXPECT_TRUE(page.at("cost").at("fleet_cpu_us_per_delivery").is_null());
}

TEST(SummaryJson, StartsAsDocumented) {
  const std::string text = summary_json(sample_record());
  EXPECT_EQ(text.substr(0, text.find("  \"scenario_file\"")),
            "{\n"
            "  \"schema_version\": 1,\n"
            "  \"tool_version\": \"0.1.0\",\n"
            "  \"run_id\": \"20261122T074011Z-7f3a\",\n"
            "  \"scenario\": \"first-look\",\n");
  EXPECT_NE(text.find("    {\"id\": \"order\", \"verdict\": \"pass\", \"detail\": \"in order, "
                      "67197 deliveries\"},\n"),
            std::string::npos);
}

TEST(Violations, ALineHoldsWhatApplies) {
  EXPECT_EQ(
      json_text(to_json(sample_record().examples[0])),
      R"({"t": 17.5, "kind": "lost", "client": "client-4", "node": "node-2", "room": "room-1", )"
      R"("message": "client-1#5@room-1", "fault": "cut", "detail": "client-1#5@room-1 never came"})");
  finding_row exit;
  exit.kind = "node_exit";
  exit.at_s = 2;
  exit.node = "node-1";
  exit.detail = "gone";
  EXPECT_EQ(json_text(to_json(exit)),
            R"({"t": 2, "kind": "node_exit", "node": "node-1", "detail": "gone"})");
}

TEST(Violations, ALineHoldsTheSurroundings) {
  const json::object line = to_json(sample_finding());
  EXPECT_EQ(line.at("messages"), 3512);
  EXPECT_EQ(line.at("hop"), "Redis accepted it from node-1; node-2 never got it");
  EXPECT_EQ(
      json_text(line.at("around")),
      R"({"window": {"begins_s": 17, "ends_s": 26}, "neighbours": [)"
      R"({"message": "client-1#4@room-1", "sent_s": 16.9, "node": "node-1", )"
      R"("outcome": "ok", "has_arrived": true}, )"
      R"({"message": "client-1#5@room-1", "sent_s": 17.1, "node": "node-1", )"
      R"("outcome": "ok", "has_arrived": false}, )"
      R"({"message": "client-1#6@room-1", "sent_s": 17.3, "node": "node-1", )"
      R"("outcome": "pending", "has_arrived": false}], )"
      R"("last_deliveries": [{"t": 16.2, "message": "client-7#2@room-1"}, )"
      R"({"t": 16.4, "message": "client-2#4@room-1"}, )"
      R"({"t": 16.7, "message": "client-3#4@room-1"}, {"t": 16.9, "message": "client-1#4@room-1"}]})");
}

TEST(Reports, WhatWasPromisedAndObservedIsInEveryOne) {
  run_record run = sample_record();
  run.promised = "delivery every_message, resume true";
  run.observed = "delivery best_effort, order total, duplicates none";
  EXPECT_EQ(json::parse(summary_json(run)).at("observed").as_string(), run.observed);
  EXPECT_EQ(json::parse(summary_json(run)).at("promised").as_string(), run.promised);
  EXPECT_NE(junit_xml(run).find("<property name=\"promised\" value=\"delivery every_message"),
            std::string::npos);
  EXPECT_NE(summary_md(run).find("\nPromised: delivery every\\_message, resume true\n"
                                 "\nObserved: delivery best\\_effort, order total"),
            std::string::npos)
      << summary_md(run);
  EXPECT_NE(junit_xml(run).find("<property name=\"observed\" value=\"delivery best_effort"),
            std::string::npos);
}

TEST(Reports, WhereAMessageWasLostIsSaidBesideTheFinding) {
  run_record run = sample_record();
  run.examples = {sample_finding()};
  const std::string said = "client-1#5@room-1 never came; Redis accepted it from node-1";
  EXPECT_NE(summary_md(run).find(said), std::string::npos);
  EXPECT_NE(junit_xml(run).find("; Redis accepted it from node-1"), std::string::npos);
}

TEST(Reports, SayWhyThingsFailed) {
  run_record run = sample_record();
  run.reasons = {{"send_refused", "OOM <used> | more", 1768, 2.1, 9.8, {"node-1"}}};
  run.examples[0].log = {{3.5, 2, "ERROR no room"}};
  const json::value page = json::parse(summary_json(run));
  const json::value& row = page.at("reasons").at(0);
  EXPECT_EQ(row.at("text").as_string(), "OOM <used> | more");
  EXPECT_EQ(row.at("count").to_number<int>(), 1768);
  EXPECT_EQ(row.at("last_s").as_double(), 9.8);
  EXPECT_EQ(page.at("examples").at(0).at("around").at("log").at(0).at("text").as_string(),
            "ERROR no room");
  const std::string xml = junit_xml(run);
  const std::string line = "1 768 x send refused node-1, +2.1s to +9.8s: OOM &lt;used&gt; | more\n";
  EXPECT_NE(xml.find("<system-out>" + line), std::string::npos) << xml;
  EXPECT_NE(xml.find(line + "replay: "), std::string::npos) << xml;
  EXPECT_NE(xml.find("node-2's log at +3.5s: ERROR no room"), std::string::npos) << xml;
  EXPECT_NE(summary_md(run).find("| OOM &lt;used> \\| more |"), std::string::npos)
      << summary_md(run);
}

TEST(SummaryMarkdown, ShowsTheFirstOfEachKindWithItsHop) {
  run_record run = sample_record();
  finding_row second = sample_finding(), third = sample_finding(), twice = sample_finding();
  second.detail = "the second of its kind";
  third.detail = "the third";
  twice.kind = "duplicate";
  twice.detail = "client-2 got it twice";
  twice.hop.clear();
  run.examples = {sample_finding(), second, third, twice};
  const std::string text = summary_md(run);
  EXPECT_NE(text.find("- **lost** at +17.5s: client-1#5@room-1 never came; Redis accepted it from "
                      "node-1; node-2 never got it\n"
                      "- **duplicate** at +17.5s: client-2 got it twice\n\nResults"),
            std::string::npos)
      << text;
}

// --- JSON lines

class JsonlFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ordeal-jsonl-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string read(const std::string& name) const {
    std::ifstream file(directory_ / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::filesystem::path directory_;
};

TEST_F(JsonlFile, EveryLineIsOnDiskAtOnce) {
  jsonl_writer writer(directory_ / "events.jsonl");
  writer.append({{"t", 1.5}, {"event", "phase"}});
  EXPECT_EQ(read("events.jsonl"), "{\"t\": 1.5, \"event\": \"phase\"}\n");
  writer.append({{"detail", "two\nlines"}});
  EXPECT_EQ(read("events.jsonl"),
            "{\"t\": 1.5, \"event\": \"phase\"}\n{\"detail\": \"two\\nlines\"}\n");
  EXPECT_EQ(writer.error(), "");
}

TEST_F(JsonlFile, AppendsToWhatIsThere) {
  for (int i = 0; i < 2; ++i) jsonl_writer(directory_ / "a.jsonl").append({{"i", i}});
  EXPECT_EQ(read("a.jsonl"), "{\"i\": 0}\n{\"i\": 1}\n");
}

TEST_F(JsonlFile, RemembersThatItCouldNotOpen) {
  jsonl_writer writer(directory_ / "missing" / "events.jsonl");
  EXPECT_NE(writer.error().find("cannot open"), std::string::npos);
  EXPECT_NE(writer.error().find("No such file"), std::string::npos);
  const std::string first = writer.error();
  writer.append({{"t", 1}});
  EXPECT_EQ(writer.error(), first);
}

TEST(JsonlWriter, RemembersThatTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  jsonl_writer writer("/dev/full");
  writer.append({{"t", 1}});
  EXPECT_EQ(writer.error(), "cannot write /dev/full: No space left on device");
  writer.append({{"t", 2}});
  EXPECT_EQ(writer.error(), "cannot write /dev/full: No space left on device");
}

// --- JUnit

// Tags in order, checked to be balanced; text and attributes must be escaped for that to work.
std::vector<std::string> elements_of(const std::string& xml) {
  std::vector<std::string> names, open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) throw std::runtime_error("a tag does not end");
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) throw std::runtime_error("a tag within a tag: " + tag);
    if (tag[0] == '?') continue;
    const std::string name =
        tag.substr(tag[0] == '/' ? 1 : 0, tag.find_first_of(" /", 1) - (tag[0] == '/' ? 1 : 0));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1))
        throw std::runtime_error("unbalanced " + tag);
      open.pop_back();
      continue;
    }
    names.push_back(name);
    if (tag.back() != '/') open.push_back(name);
  }
  if (!open.empty()) throw std::runtime_error("never closed: " + open.back());
  return names;
}

TEST(Junit, LooksAsJenkinsWantsIt) {
  EXPECT_EQ(
      junit_xml(sample_record()),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"ordeal\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" "
      "time=\"52.125\">\n"
      "  <testsuite name=\"reference/first-look\" tests=\"4\" failures=\"1\" errors=\"1\" "
      "skipped=\"1\" time=\"52.125\" "
      "timestamp=\"2026-11-22T07:40:11Z\">\n"
      "    <properties>\n"
      "      <property name=\"seed\" value=\"42\"/>\n"
      "      <property name=\"ordeal\" value=\"0.1.0\"/>\n"
      "      <property name=\"redis\" value=\"7.0.15 managed\"/>\n"
      "      <property name=\"target\" value=\"reference\"/>\n"
      "      <property name=\"run_id\" value=\"20261122T074011Z-7f3a\"/>\n"
      "      <property name=\"verdict\" value=\"fail\"/>\n"
      "      <property name=\"replay\" value=\"ordeal run scenarios/first-look.yaml --seed 42\"/>\n"
      "      <property name=\"faults\" value=\"cut (link_blackhole)\"/>\n"
      "    </properties>\n"
      "    <testcase name=\"order\" classname=\"ordeal.reference.first-look\" "
      "file=\"scenarios/first-look.yaml\" line=\"1\" "
      "time=\"13.031\"/>\n"
      "    <testcase name=\"delivery\" classname=\"ordeal.reference.first-look\" "
      "file=\"scenarios/first-look.yaml\" line=\"1\" "
      "time=\"13.031\">\n"
      "      <failure type=\"violation\" message=\"3 of 67200 deliveries missing, inside cut\">3 "
      "of 67200 deliveries "
      "missing, inside cut\n"
      "lost at +17.5s: client-1#5@room-1 never came [cut]\n"
      "replay: ordeal run scenarios/first-look.yaml --seed 42\n"
      "</failure>\n"
      "    </testcase>\n"
      "    <testcase name=\"generator\" classname=\"ordeal.reference.first-look\" "
      "file=\"scenarios/first-look.yaml\" line=\"1\" "
      "time=\"13.031\">\n"
      "      <error type=\"inconclusive\" message=\"the generator fell behind\">the generator fell "
      "behind\n"
      "replay: ordeal run scenarios/first-look.yaml --seed 42\n"
      "</error>\n"
      "    </testcase>\n"
      "    <testcase name=\"recovery\" classname=\"ordeal.reference.first-look\" "
      "file=\"scenarios/first-look.yaml\" line=\"1\" "
      "time=\"13.031\">\n"
      "      <skipped message=\"no faults in this scenario\"/>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}

TEST(Junit, HostileTextStaysText) {
  run_record run = sample_record();
  run.scenario = run.target = run.replay = hostile;
  for (check_row& check : run.checks) check.detail = hostile;
  run.examples[0].detail = hostile;
  const std::string xml = junit_xml(run);
  const std::vector<std::string> names = elements_of(xml);
  EXPECT_EQ(names, elements_of(junit_xml(sample_record())));
  for (const char c : xml) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(xml.find("\xFF"), std::string::npos);
  EXPECT_NE(xml.find("a&lt;b&gt;&amp;&quot;c&quot; ]]&gt;"), std::string::npos);
  EXPECT_NE(xml.find("&#10;next\""), std::string::npos) << "a line end inside an attribute";
}

TEST(Junit, ASuiteAlwaysHasACase) {
  run_record run = sample_record();
  run.checks.clear();
  run.verdict = "error";
  run.why = "Redis never became ready";
  const std::string xml = junit_xml(run);
  EXPECT_NE(xml.find("<testcase name=\"run\""), std::string::npos);
  EXPECT_NE(xml.find("<error type=\"error\" message=\"Redis never became ready\">"),
            std::string::npos);
}

TEST(Junit, ARunThatProvesNothingIsNeverGreen) {
  run_record run = sample_record();
  run.checks = {{"order", "pass", "in order"}, {"recovery", "skipped", "no faults"}};
  run.verdict = "inconclusive";
  run.why = "the run was cut short, so it proves nothing";
  const std::string xml = junit_xml(run);
  EXPECT_NE(xml.find("tests=\"3\" failures=\"0\" errors=\"1\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("<error type=\"inconclusive\" message=\"the run was cut short"),
            std::string::npos);
  run.verdict = "pass";
  EXPECT_EQ(junit_xml(run).find("name=\"run\""), std::string::npos);
}

TEST(Junit, CapsLongTexts) {
  run_record run = sample_record();
  run.checks[1].detail = std::string(1'000'000, 'x');
  EXPECT_LT(junit_xml(run).size(), 40'000U);
}

TEST(Junit, JoinsSeveralRuns) {
  const std::string xml = junit_xml({sample_record(), sample_record()});
  EXPECT_NE(xml.find("<testsuites name=\"ordeal\" tests=\"8\" failures=\"2\" errors=\"2\" "
                     "skipped=\"2\" time=\"104.250\">"),
            std::string::npos);
  EXPECT_EQ(elements_of(xml).size(), 1 + 2 * (elements_of(junit_xml(sample_record())).size() - 1));
}

// --- Markdown

TEST(SummaryMarkdown, HasTablesAndTheFirstFindings) {
  EXPECT_EQ(
      summary_md(sample_record()),
      "## first-look on reference: **fail**\n\n"
      "Why: delivery: 3 of 67200 deliveries missing, inside cut\n\n"
      "3 nodes, 24 clients, 8 400 sent, 67 197 of 67 200 deliveries, p99 11ms, 52.1s, seed "
      "42, Redis 7.0.15 managed\n\n"
      "| Check | Verdict | Detail |\n| --- | --- | --- |\n"
      "| order | pass | in order, 67197 deliveries |\n"
      "| delivery | fail | 3 of 67200 deliveries missing, inside cut |\n"
      "| generator | inconclusive | the generator fell behind |\n"
      "| recovery | skipped | no faults in this scenario |\n"
      "\n| Fault | Kind | Target | Could touch | State | Planned | In effect | Healed | Recovered "
      "after | Findings |\n"
      "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
      "| cut | link\\_blackhole | node-2 | node-2 | healed | 17.0s | 17.0s | 22.0s | 3.9s | 3 |\n"
      "\nThe first finding of each kind:\n\n- **lost** at +17.5s: client-1#5@room-1 never came\n"
      "\nResults: `results/20261122T074011Z-7f3a`\n"
      "Replay: `ordeal run scenarios/first-look.yaml --seed 42`\n");
}

TEST(SummaryMarkdown, HostileTextStaysInItsCell) {
  run_record run = sample_record();
  run.checks = {{"delivery", "fail", hostile}};
  const std::string text = summary_md(run);
  EXPECT_NE(text.find("a&lt;b>&\"c\" ]]> \\\\u{1}\\\\u{1b}\\[31m"), std::string::npos) << text;
  EXPECT_NE(text.find("\\| \\`d\\` next |\n"), std::string::npos) << text;
}

TEST(SummaryMarkdown, StaysBelowGitHubsLimit) {
  run_record run = sample_record();
  for (int i = 0; i < 5000; ++i) run.checks.push_back({"expect", "fail", std::string(1000, 'y')});
  EXPECT_LT(summary_md(run).size(), 140'000U);
}

}  // namespace
}  // namespace ordeal::report

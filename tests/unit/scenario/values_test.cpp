#include "harness/scenario/values.h"

#include <gtest/gtest.h>

namespace ordeal::harness {
namespace {

using namespace std::chrono_literals;

TEST(Values, DurationsCarryUnitsInDescendingOrder) {
  const std::vector<std::pair<std::string, std::chrono::nanoseconds>> good{
      {"250ms", 250ms}, {"2s", 2s}, {"1m30s", 90s}, {"1h", 1h},        {"5us", 5us},
      {"7ns", 7ns},     {"0s", 0s}, {"1d", 24h},    {"1h0m1s", 3601s}, {"1s500ms", 1500ms}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_duration(text).value, value) << text;
  const std::vector<std::pair<std::string, std::string>> bad{
      {"", "is not a duration"},
      {"5", "has no unit"},
      {"1m30", "has no unit"},
      {"s", "is not a duration"},
      {"1.5s", "is not a duration"},
      {"-1s", "is not a duration"},
      {"1 s", "is not a duration"},
      {"1s ", "is not a duration"},
      {"1min", "has the unknown unit 'min'"},
      {"1S", "has the unknown unit 'S'"},
      {"30s1m", "has its units out of order"},
      {"1s1s", "has its units out of order"},
      {"01s", "has a leading zero"},
      {"99999999999999999999s", "is too large"},
      {"9999999999999s", "is too long"}};
  for (const auto& [text, problem] : bad) {
    EXPECT_FALSE(parse_duration(text).value) << text;
    EXPECT_EQ(parse_duration(text).problem, problem) << text;
  }
}

TEST(Values, SizesTellKibiFromKilo) {
  const std::vector<std::pair<std::string, std::int64_t>> good{
      {"128B", 128},    {"64KiB", 65536},     {"64kB", 64000}, {"1MiB", 1048576},
      {"2MB", 2000000}, {"1GiB", 1073741824}, {"0B", 0}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_size(text).value, value) << text;
  for (const char* text :
       {"", "128", "64KB", "64k", "1.5MB", "-1B", "B", "128 B", "0128B", "9999999999999GiB"}) {
    EXPECT_FALSE(parse_size(text).value) << text;
  }
}

TEST(Values, RatesBecomePeriods) {
  EXPECT_EQ(parse_rate("200/s").value, 5ms);
  EXPECT_EQ(parse_rate("30/m").value, 2s);
  EXPECT_EQ(parse_rate("10/h").value, 6min);
  EXPECT_EQ(parse_rate("0/s").value, 0s);
  for (const char* text : {"", "200", "/s", "200/ms", "200s", "-1/s", "2000000/s", "1.5/s"}) {
    EXPECT_FALSE(parse_rate(text).value) << text;
  }
}

TEST(Values, PercentagesNeedTheirSign) {
  EXPECT_DOUBLE_EQ(parse_percent("0.1%").value.value_or(-1), 0.001);
  EXPECT_DOUBLE_EQ(parse_percent("25%").value.value_or(-1), 0.25);
  EXPECT_FALSE(parse_percent("1" + std::string(400, '0') + "%").value);  // no double holds it
  EXPECT_DOUBLE_EQ(parse_percent("0." + std::string(400, '0') + "1%").value.value_or(-1), 0.0);
  EXPECT_DOUBLE_EQ(parse_percent("100%").value.value_or(-1), 1.0);
  for (const char* text : {"", "%", "25", "0.1", ".5%", "1.%", "101%", "-1%", "1e1%"})
    EXPECT_FALSE(parse_percent(text).value) << text;
}

TEST(Values, IntegersAreDecimalOnly) {
  EXPECT_EQ(parse_integer("0").value, 0);
  EXPECT_EQ(parse_integer("9223372036854775807").value, INT64_MAX);
  for (const char* text :
       {"", "010", "0x10", "1_000", "1.0", "+1", "-1", " 1", "1 ", "9223372036854775808"}) {
    EXPECT_FALSE(parse_integer(text).value) << text;
  }
}

TEST(Values, BooleansAreTwoWords) {
  EXPECT_EQ(parse_boolean("true").value, true);
  EXPECT_EQ(parse_boolean("false").value, false);
  for (const char* text : {"yes", "no", "on", "off", "True", "FALSE", "1", "0", ""})
    EXPECT_FALSE(parse_boolean(text).value) << text;
}

TEST(Values, FormattingParsesBack) {
  for (const char* text : {"1m30s", "250ms", "0s", "2h", "1d1ns", "1s500ms"})
    EXPECT_EQ(format_duration(*parse_duration(text).value), text);
  for (const char* text : {"128B", "64KiB", "64kB", "1MiB", "1000001B"})
    EXPECT_EQ(format_size(*parse_size(text).value), text);
  for (const char* text : {"200/s", "30/m", "300/s", "7/h"})
    EXPECT_EQ(format_rate(*parse_rate(text).value), text);
}

TEST(Values, IdentifiersAreShortAndPlain) {
  for (const char* text : {"a", "node-1", "A_b.c", "9"}) EXPECT_TRUE(is_identifier(text)) << text;
  for (const char* text : {"", "-a", ".a", "a b", "a/b", "ä"})
    EXPECT_FALSE(is_identifier(text)) << text;
  EXPECT_FALSE(is_identifier(std::string(65, 'a')));
}

TEST(Values, BandwidthsInBitsAndBytes) {
  EXPECT_EQ(parse_bandwidth("256kbit/s").value, 32'000);
  EXPECT_EQ(parse_bandwidth("1Mbit/s").value, 125'000);
  EXPECT_EQ(parse_bandwidth("32KB/s").value, 32'000);
  EXPECT_EQ(parse_bandwidth("32kB/s").value, 32'000);
  EXPECT_EQ(parse_bandwidth("32KiB/s").value, 32'768);
  EXPECT_EQ(parse_bandwidth("1500B/s").value, 1'500);
  for (const char* text : {"", "32", "32KB", "32/s", "kB/s", "-1kB/s", "032kB/s", "7bit/s", "0kB/s",
                           "1.5MB/s", "99999999999999999GB/s"}) {
    EXPECT_FALSE(parse_bandwidth(text).value) << text;
    EXPECT_FALSE(parse_bandwidth(text).problem.empty()) << text;
  }
  for (const std::int64_t rate : {1LL, 1'500LL, 32'000LL, 4'000'000LL})
    EXPECT_EQ(parse_bandwidth(format_bandwidth(rate)).value, rate);
}

}  // namespace
}  // namespace ordeal::harness

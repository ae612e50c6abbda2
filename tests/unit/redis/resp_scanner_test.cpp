// Goal: the scanner tells the same frames as a plain recursive parser, however the stream is cut into pieces, damaged
// or made up, and is lost where that parser is. Method: literal streams, every split point, random streams.
#include "net/redis/resp_scanner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "net/async/random.h"
#include "tests/unit/redis/resp_reference.h"

namespace ordeal::test {
namespace {

using net::redis::resp_scanner;
using net::redis::resp_side;
using texts = std::vector<std::string>;

constexpr std::string_view sample_requests =
    "*3\r\n$7\r\npublish\r\n$6\r\nroom 1\r\n$12\r\nhello\r\nworld\r\n"
    "*1\r\n$4\r\nPING\r\n"
    "set key value\r\n"
    "\r\n*0\r\n*-1\r\n"
    "  Ping\n"
    "*2\r\n$27\r\naVeryLongCommandNameIndeed!\r\n$0\r\n\r\n";

constexpr std::string_view sample_replies =
    "+OK\r\n-OOM command not allowed\r\n:-12\r\n$-1\r\n*-1\r\n$5\r\na\r\nbc\r\n"
    "*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$2\r\nhi\r\n"
    "*2\r\n*2\r\n:1\r\n-ERR no\r\n*0\r\n"
    "%1\r\n+proto\r\n:3\r\n~2\r\n#t\r\n_\r\n>3\r\n$9\r\nsubscribe\r\n+a\r\n:1\r\n"
    "|1\r\n+ttl\r\n:5\r\n,1.5\r\n(123456789012345678901234567890\r\n"
    "=7\r\ntxt:abc\r\n!9\r\nERR broke\r\n*2\r\n|1\r\n+k\r\n-E inside\r\n:7\r\n!3\r\nERR\r\n";

told_stream scan(resp_side side, std::string_view stream) {
  return scan_pieces(side, stream, {});
}

TEST(RespScanner, TellsRequests) {
  const told_stream told = scan(resp_side::requests, sample_requests);
  EXPECT_FALSE(told.is_lost);
  EXPECT_EQ(
      told.frames,
      texts({"command word=PUBLISH argument=ROOM 1 size=3 integer=0 "
             "texts=[publish|room 1|hello\r\nworld|] errors=[]",
             "command word=PING argument= size=1 integer=0 texts=[PING|] errors=[]",
             "inline word=SET argument=KEY size=3 integer=0 texts=[set key value\r|] errors=[]",
             "inline word=PING argument= size=1 integer=0 texts=[Ping|] errors=[]",
             "command word=AVERYLONGCOMMAND argument= size=2 integer=0 "
             "texts=[aVeryLongCommandNameIndeed!|] errors=[]"}));
}

TEST(RespScanner, TellsReplies) {
  const told_stream told = scan(resp_side::replies, sample_replies);
  EXPECT_FALSE(told.is_lost);
  EXPECT_EQ(
      told.frames,
      texts({"simple word=OK argument= size=0 integer=0 texts=[OK|] errors=[]",
             "error word=OOM argument= size=0 integer=0 texts=[] errors=[]",
             "integer word= argument= size=0 integer=-12 texts=[] errors=[]",
             "nil word= argument= size=0 integer=0 texts=[] errors=[]",
             "nil word= argument= size=0 integer=0 texts=[] errors=[]",
             "bulk word=A\r\nBC argument= size=0 integer=0 texts=[a\r\nbc|] errors=[]",
             "array word=MESSAGE argument=ROOM size=3 integer=0 texts=[message|room|hi|] errors=[]",
             "array word= argument= size=2 integer=0 texts=[] errors=[0@2 ]",
             "map word=PROTO argument= size=2 integer=3 texts=[proto|] errors=[]",
             "set word=T argument= size=2 integer=0 texts=[] errors=[]",
             "push word=SUBSCRIBE argument=A size=3 integer=1 texts=[subscribe|a|] errors=[]",
             "number word=1.5 argument= size=0 integer=0 texts=[] errors=[]",
             "number word=1234567890123456 argument= size=0 integer=0 texts=[] errors=[]",
             "bulk word=TXT:ABC argument= size=0 integer=0 texts=[txt:abc|] errors=[]",
             "error word=ERR argument= size=0 integer=0 texts=[] errors=[]",
             "array word= argument=ERR size=2 integer=7 texts=[] errors=[1@1 ]"}));
}

void expect_same_at_every_split(resp_side side, std::string_view stream) {
  const told_stream whole = scan(side, stream);
  EXPECT_EQ(whole, parse_whole(side, stream));
  for (std::size_t i = 0; i <= stream.size(); ++i) {
    EXPECT_EQ(scan_pieces(side, stream, {i}), whole) << "split at " << i;
    for (std::size_t k = i; k <= stream.size(); ++k) {
      const bool is_same = scan_pieces(side, stream, {i, k}) == whole;
      EXPECT_TRUE(is_same) << "split at " << i << " and " << k;
    }
  }
  std::vector<std::size_t> every(stream.size());
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
  EXPECT_EQ(scan_pieces(side, stream, every), whole);
}

TEST(RespScanner, DoesNotCareWhereAStreamIsCut) {
  expect_same_at_every_split(resp_side::requests, sample_requests);
  expect_same_at_every_split(resp_side::replies, sample_replies);
}

TEST(RespScanner, IsLostForGoodAtWhatIsNoResp) {
  const std::vector<std::string> replies = {"hello\r\n",
                                            "$3\r\nabcd\r\n",
                                            "$3\r\nabcXX",
                                            "$-2\r\n",
                                            "$+1\r\na\r\n",
                                            "*-7\r\n",
                                            "$1 \r\n",
                                            "$\r\n",
                                            "+a\rb",
                                            ":12x\r\n",
                                            ":\r\n",
                                            "%-1\r\n",
                                            "_x\r\n",
                                            "#\r\n",
                                            "#true\r\n",
                                            "*1\r\n>1\r\n",
                                            "\r\n",
                                            "$?\r\n",
                                            "$99999999999999999999\r\n",
                                            ":9223372036854775808\r\n",
                                            "*4294967296\r\n",
                                            "$4294967297\r\n",
                                            ":1\n"};
  for (const std::string& each : replies) {
    EXPECT_TRUE(scan(resp_side::replies, "+OK\r\n" + each + "+OK\r\n").is_lost) << each;
    EXPECT_TRUE(parse_whole(resp_side::replies, "+OK\r\n" + each + "+OK\r\n").is_lost) << each;
    EXPECT_EQ(scan(resp_side::replies, "+OK\r\n" + each + "+OK\r\n").frames.size(), 1U) << each;
  }
  const std::vector<std::string> requests = {
      "*1\r\n+PING\r\n", "*1\r\n$-1\r\n", "*1\r\n*1\r\n",         "*+1\r\n",
      "*x\r\n",          "\x16\x03\x01",  "*1\r\n$4\r\nPINGx\r\n"};
  for (const std::string& each : requests) {
    EXPECT_TRUE(scan(resp_side::requests, "ping\r\n" + each + "ping\r\n").is_lost) << each;
    EXPECT_EQ(scan(resp_side::requests, "ping\r\n" + each + "ping\r\n").frames.size(), 1U) << each;
  }
}

TEST(RespScanner, LimitsDepthAndInlineCommands) {
  const auto nested = [](std::size_t depth) {
    std::string stream;
    for (std::size_t i = 0; i < depth; ++i) stream += "*1\r\n";
    return stream + ":1\r\n";
  };
  EXPECT_EQ(scan(resp_side::replies, nested(resp_scanner::depth_max)).frames.size(), 1U);
  EXPECT_TRUE(scan(resp_side::replies, nested(resp_scanner::depth_max + 1)).is_lost);

  const std::string line(resp_scanner::inline_bytes_max, 'x');
  EXPECT_FALSE(scan(resp_side::requests, line + "\n").is_lost);
  EXPECT_TRUE(scan(resp_side::requests, line + "x\n").is_lost);
}

// Values as Redis could send them, of all kinds, with blanks and line ends inside bulk strings.
class random_resp {
 public:
  explicit random_resp(std::uint64_t seed) : draws_(seed, "resp") {}

  std::string request() {
    if (draws_.below(5) == 0) return line() + (draws_.below(2) == 0 ? "\r\n" : "\n");
    const std::uint64_t count = draws_.below(6);
    std::string made = "*" + std::to_string(count) + "\r\n";
    for (std::uint64_t i = 0; i < count; ++i) made += bulk('$');
    return made;
  }

  std::string reply(std::size_t depth = 0) {
    const std::string_view kinds = depth < 4 ? "+-:$$_#,(=!NA***%~|>" : "+-:$$_#,(=!NA";
    char kind = kinds[draws_.below(kinds.size())];
    if (kind == '>' && depth > 0) kind = '*';
    switch (kind) {
      case ':':
        return ":" + std::to_string(static_cast<std::int64_t>(draws_.next()) / 2) + "\r\n";
      case '$':
      case '=':
      case '!':
        return bulk(kind);
      case '_':
        return "_\r\n";
      case '#':
        return "#f\r\n";
      case 'N':
        return "$-1\r\n";
      case 'A':
        return "*-1\r\n";
      case '*':
      case '~':
      case '>':
        return aggregate(kind, 1, depth);
      case '%':
        return aggregate(kind, 2, depth);
      case '|':
        return aggregate(kind, 2, depth) + reply(depth);
      default:
        return kind + line() + "\r\n";
    }
  }

  std::uint64_t below(std::uint64_t bound) { return draws_.below(bound); }

 private:
  std::string text(std::string_view alphabet, std::uint64_t length_max) {
    std::string made(draws_.below(length_max + 1), ' ');
    for (char& c : made) c = alphabet[draws_.below(alphabet.size())];
    return made;
  }
  std::string line() { return text("abcXYZ  019._-", 24); }
  std::string bulk(char type) {
    const std::string payload = text("abcXYZ 01\r\n$*+", draws_.below(20) == 0 ? 500 : 24);
    return type + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
  }
  std::string aggregate(char type, std::uint64_t parts_each, std::size_t depth) {
    const std::uint64_t count = draws_.below(4);
    std::string made = type + std::to_string(count) + "\r\n";
    for (std::uint64_t i = 0; i < count * parts_each; ++i) made += reply(depth + 1);
    return made;
  }

  net::random_stream draws_;
};

std::string random_stream_of(resp_side side, random_resp& random) {
  std::string stream;
  for (std::uint64_t left = random.below(12); left > 0; --left) {
    stream += side == resp_side::requests ? random.request() : random.reply();
  }
  return stream;
}

std::vector<std::size_t> random_ends(std::size_t size, random_resp& random) {
  std::vector<std::size_t> ends(random.below(10));
  for (std::size_t& each : ends) each = random.below(size + 1);
  std::sort(ends.begin(), ends.end());
  return ends;
}

void expect_agreement(resp_side side, std::string_view stream, random_resp& random) {
  const told_stream wanted = parse_whole(side, stream);
  const auto ends = random_ends(stream.size(), random);
  EXPECT_EQ(scan_pieces(side, stream, ends), wanted) << "stream: " << stream;
}

TEST(RespScanner, AgreesWithAPlainParserOnRandomStreams) {
  std::size_t frames = 0;
  for (std::uint64_t seed = 0; seed < 4'000 && !testing::Test::HasFailure(); ++seed) {
    random_resp random(seed);
    for (const resp_side side : {resp_side::requests, resp_side::replies}) {
      const std::string stream = random_stream_of(side, random);
      expect_agreement(side, stream, random);
      const told_stream told = parse_whole(side, stream);
      EXPECT_FALSE(told.is_lost && side == resp_side::replies) << stream;
      frames += told.frames.size();
    }
  }
  EXPECT_GT(frames, 30'000U);
}

TEST(RespScanner, AgreesWithAPlainParserOnDamagedStreams) {
  constexpr std::string_view damage = "\r\n$*+-:_#,(=!~%>|0129 a\x01";
  std::size_t lost = 0, survived = 0;
  for (std::uint64_t seed = 0; seed < 8'000 && !testing::Test::HasFailure(); ++seed) {
    random_resp random(seed);
    const resp_side side = seed % 2 == 0 ? resp_side::requests : resp_side::replies;
    std::string stream = random_stream_of(side, random);
    if (stream.empty()) continue;
    for (std::uint64_t left = 1 + random.below(2); left > 0; --left) {
      const std::size_t at = random.below(stream.size());
      switch (random.below(3)) {
        case 0:
          stream[at] = damage[random.below(damage.size())];
          break;
        case 1:
          stream.erase(at, 1);
          break;
        default:
          stream.insert(at, 1, damage[random.below(damage.size())]);
      }
      if (stream.empty()) stream = "x";
    }
    expect_agreement(side, stream, random);
    ++(parse_whole(side, stream).is_lost ? lost : survived);
  }
  EXPECT_GT(lost, 1'000U);
  EXPECT_GT(survived, 1'000U);
}

}  // namespace
}  // namespace ordeal::test

// The plain HTTP side: probes, metrics, negotiate, who is admitted.
#include "reference-server/hub/endpoints.h"

#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/chat/hub/hub_fixture.h"

namespace ordeal::chat::test {
namespace {

class Endpoints : public hub_fixture {
 protected:
  net::http_response ask(std::string method, std::string path, std::string query = {}) {
    net::http_request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    return endpoints(*hub, log, pages, names).answer(request);
  }
  unsigned admitted(std::string query) {
    net::http_request request;
    request.path = "/chat";
    request.query = std::move(query);
    return hub->admit(request).status;
  }

  page_sockets pages;
  const node_names names{"node-1", "chat"};
};

TEST_F(Endpoints, ReadyFollowsTheLogHealthDoesNot) {
  start();
  EXPECT_EQ(ask("GET", "/readyz").status, 200U);
  log.health().is_ready = false;
  log.health().reason = "Redis does not answer";
  const auto unready = ask("GET", "/readyz");
  EXPECT_EQ(unready.status, 503U);
  EXPECT_EQ(unready.body, "appends fail: Redis does not answer\n");
  EXPECT_EQ(ask("GET", "/healthz").status, 200U);
}

// Method: every way not to be ready has its word, and an age where there is one.
TEST_F(Endpoints, UnreadinessNamesStateAgeAndReason) {
  start();
  log_health& health = log.health();
  health.is_ready = false;
  EXPECT_EQ(ask("GET", "/readyz").body,
            "starting: the first heartbeat has not come back through the log yet\n");
  health.echo_age = std::chrono::milliseconds(4'250);
  EXPECT_EQ(ask("GET", "/readyz").body,
            "silent for 4.2 s: no heartbeat came back through the log\n");
  health.unanswered = std::chrono::milliseconds(3'100);
  EXPECT_EQ(ask("GET", "/readyz").body,
            "mute for 3.1 s: Redis has not answered the command on its way\n");
  health.is_echo_missing = true;
  EXPECT_EQ(ask("GET", "/readyz").body,
            "deaf for 4.2 s: heartbeats are in the log and do not come back\n");
  health.reader_reason = "cannot connect: Connection refused";
  EXPECT_EQ(ask("GET", "/readyz").body, "deaf for 4.2 s: cannot connect: Connection refused\n");
  health.reader_reason.clear();
  health.behind_age = std::chrono::milliseconds(5'000);
  health.top_index = health.last_read.index + 7;
  EXPECT_EQ(ask("GET", "/readyz").body,
            "behind for 5.0 s: 7 entries of the log are not read yet\n");
  health.is_paced = true;
  EXPECT_EQ(
      ask("GET", "/readyz").body,
      "behind for 5.0 s: 7 entries of the log are not read yet, and clients take them slowly\n");
  health.trouble_age = std::chrono::milliseconds(99);
  health.reason = "Redis answers:\nOOM";
  EXPECT_EQ(ask("GET", "/readyz").body, "appends fail for 0.0 s: Redis answers: OOM\n");
  health.state = log_state::recovering;
  EXPECT_EQ(ask("GET", "/readyz").body, "recovering for 0.0 s: Redis answers: OOM\n");
}

TEST_F(Endpoints, NotReadyWhileDraining) {
  start();
  tasks().spawn("drain", hub->drain(net::now()));
  poll();
  EXPECT_EQ(ask("GET", "/readyz").status, 503U);
  EXPECT_EQ(ask("POST", "/chat/negotiate").status, 503U);
  EXPECT_EQ(admitted(""), 503U);
  EXPECT_EQ(admitted("id=negotiated-before"), 404U) << "start afresh, elsewhere";
}

// Who negotiates and does not come keeps nobody out: the oldest goes, whoever comes soon is let in.
TEST_F(Endpoints, NegotiationsWithoutEndLockNobodyOut) {
  hub_limits limits;
  limits.connections_max = 5;
  start(limits);
  std::vector<std::string> tokens;
  for (int i = 0; i < 50; ++i) tokens.push_back(negotiated_token("negotiateVersion=1"));
  EXPECT_EQ(admitted("id=" + tokens.front()), 404U);
  for (std::size_t i = 45; i < 50; ++i) EXPECT_EQ(admitted("id=" + tokens[i]), 101U);
}

TEST_F(Endpoints, RefuseWhatIsNotThere) {
  start();
  EXPECT_EQ(ask("GET", "/assets/").status, 404U);
  EXPECT_EQ(ask("POST", "/").status, 405U);
  EXPECT_EQ(ask("GET", "/chat").status, 426U);
  EXPECT_EQ(ask("GET", "/chat/negotiate").status, 405U);
  EXPECT_EQ(ask("DELETE", "/metrics").status, 405U);
}

TEST_F(Endpoints, NodeSaysWhatItIs) {
  start();
  const auto answer = ask("GET", "/node");
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(json::parse(answer.body),
            json::parse(R"({"node":"node-1","app":"chat","version":")" ORDEAL_VERSION
                        R"(","ready":true,"reason":""})"));
  log.health().is_ready = false;
  log.health().reason = "Redis does not answer";
  const auto unready = ask("GET", "/node");
  EXPECT_EQ(unready.status, 200U) << "it answers a question, it is not a probe";
  const auto fields = json::parse(unready.body).as_object();
  EXPECT_FALSE(fields.at("ready").as_bool());
  EXPECT_EQ(fields.at("reason").as_string(), "appends fail: Redis does not answer");
}

TEST_F(Endpoints, NodeKnowsTheSocketsOfItsPages) {
  start();
  const auto serves = [this](std::string query) {
    const auto fields = json::parse(ask("GET", "/node", std::move(query)).body).as_object();
    return fields.at("serves_page").as_bool();
  };
  EXPECT_FALSE(serves("page=abc"));
  {
    const page_sockets::entry first(pages, "abc");
    const page_sockets::entry again(pages, "abc");
    const page_sockets::entry too_long(pages, std::string(65, 'x'));
    EXPECT_TRUE(serves("page=abc"));
    EXPECT_FALSE(serves("page=ab"));
    EXPECT_FALSE(serves("page=" + std::string(65, 'x')));
  }
  EXPECT_FALSE(serves("page=abc"));
}

TEST_F(Endpoints, ServesTheChatPage) {
  start();
  const auto page = ask("GET", "/");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("/assets/page.js"), std::string::npos);
}

TEST_F(Endpoints, NegotiateGivesATokenThatOpensOneConnection) {
  start();
  const auto answer =
      json::parse(ask("POST", "/chat/negotiate", "negotiateVersion=1").body).as_object();
  EXPECT_EQ(answer.at("negotiateVersion").as_int64(), 1);
  const auto& transport = answer.at("availableTransports").as_array().at(0).as_object();
  EXPECT_EQ(transport.at("transport").as_string(), "WebSockets");
  EXPECT_EQ(transport.at("transferFormats").as_array().at(0).as_string(), "Text");
  const std::string token(answer.at("connectionToken").as_string());
  EXPECT_NE(answer.at("connectionId").as_string(), json::string_view(token))
      << "the token is secret";

  EXPECT_EQ(admitted("id=" + token), 101U);
  client opened = connect("id=" + token);
  EXPECT_EQ(admitted("id=" + token), 409U);
  client second = connect("id=" + token);
  EXPECT_TRUE(second.wire->is_gone) << "both were admitted before the first was served";
  opened.wire->hang_up();
  poll();
  EXPECT_EQ(admitted("id=" + token), 404U);
}

TEST_F(Endpoints, NegotiateVersionZeroHasNoToken) {
  start();
  const auto answer = json::parse(ask("POST", "/chat/negotiate").body).as_object();
  EXPECT_FALSE(answer.contains("connectionToken"));
  EXPECT_EQ(admitted("id=" + std::string(answer.at("connectionId").as_string())), 101U);
}

TEST_F(Endpoints, NegotiateGrantsStatefulReconnectToThoseWhoAsk) {
  start();
  const auto plain =
      json::parse(ask("POST", "/chat/negotiate", "negotiateVersion=1").body).as_object();
  EXPECT_FALSE(plain.contains("useStatefulReconnect")) << "the client library refuses it unasked";
  const auto declined =
      json::parse(ask("POST", "/chat/negotiate", "useStatefulReconnect=false").body).as_object();
  EXPECT_FALSE(declined.contains("useStatefulReconnect"));
  const auto granted =
      json::parse(
          ask("POST", "/chat/negotiate", "negotiateVersion=1&useStatefulReconnect=true").body)
          .as_object();
  EXPECT_TRUE(granted.at("useStatefulReconnect").as_bool());
}

class Origins : public Endpoints {
 protected:
  std::string host = "chat.example.org:8080";
  net::http_request from(std::string method, std::string path, std::string origin) {
    net::http_request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers.push_back({"Host", host});
    if (!origin.empty()) request.headers.push_back({"Origin", std::move(origin)});
    return request;
  }
  // "<status of negotiate>/<status of the upgrade>"
  std::string statuses(const std::string& origin) {
    const auto negotiated = hub->negotiate(from("POST", "/chat/negotiate", origin));
    const auto upgraded = hub->admit(from("GET", "/chat", origin));
    return std::to_string(negotiated.status) + "/" + std::to_string(upgraded.status);
  }
  void start_on_loopback(std::vector<std::string> origins = {}) {
    hub_limits limits;
    limits.is_local = true;
    limits.allowed_origins = std::move(origins);
    start(limits);
  }
  void start_with(std::vector<std::string> origins) {
    hub_limits limits;
    limits.allowed_origins = std::move(origins);
    start(limits);
  }
};

TEST_F(Origins, TheServersOwnPagesAndProgramsMayComeByDefault) {
  start();
  EXPECT_EQ(statuses(""), "200/101") << "not a browser";
  EXPECT_EQ(statuses("http://chat.example.org:8080"), "200/101");
  EXPECT_EQ(statuses("https://CHAT.example.org:8080"), "200/101") << "behind a TLS proxy";
  for (const char* foreign : {"http://evil.example.org", "http://chat.example.org", "null",
                              "http://chat.example.org:8080.evil.org", "chat.example.org:8080"}) {
    EXPECT_EQ(statuses(foreign), "403/403") << foreign;
  }
  const auto refusal = hub->admit(from("GET", "/chat", "http://evil.example.org"));
  EXPECT_NE(refusal.body.find("--allow-origin"), std::string::npos) << refusal.body;
}

TEST_F(Origins, TheListAddsToThem) {
  start_with({"https://app.example.org"});
  EXPECT_EQ(statuses("https://app.example.org"), "200/101");
  EXPECT_EQ(statuses("http://chat.example.org:8080"), "200/101");
  EXPECT_EQ(statuses("http://app.example.org"), "403/403") << "another scheme is another origin";
  EXPECT_EQ(statuses("https://app.example.org:444"), "403/403");
}

TEST_F(Origins, ANameThatWasMadeToPointHereIsNotThisServersOwn) {
  start_on_loopback();
  EXPECT_EQ(statuses("http://chat.example.org:8080"), "403/403") << "rebound to 127.0.0.1";
  EXPECT_EQ(statuses(""), "200/101") << "not a browser";
  for (const char* own : {"localhost:80", "LOCALHOST", "chat.localhost:8080", "127.0.0.1:8080",
                          "127.0.0.1", "[::1]:8080", "[::1]"}) {
    host = own;
    EXPECT_EQ(statuses(std::string("http://") + own), "200/101") << own;
  }
  for (const char* rebound : {"localhost.example.org", "127.0.0.1.example.org:80", "localhosts"}) {
    host = rebound;
    EXPECT_EQ(statuses(std::string("http://") + rebound), "403/403") << rebound;
  }
}

TEST_F(Origins, AProxyThatKeepsHostHasToBeNamedToALocalServer) {
  host = "chat.example.org";
  start_on_loopback({"https://chat.example.org"});
  EXPECT_EQ(statuses("https://chat.example.org"), "200/101");
  EXPECT_EQ(statuses("http://chat.example.org"), "403/403");
}

TEST_F(Origins, AStarAllowsEveryone) {
  start_with({"*"});
  EXPECT_EQ(statuses("https://anything.example.org"), "200/101");
  EXPECT_EQ(statuses("null"), "200/101");
}

TEST_F(Origins, BrowsersOfAForeignOriginAreToldWhatTheyMay) {
  start_with({"https://app.example.org"});
  auto asked = from("OPTIONS", "/chat/negotiate", "https://app.example.org");
  asked.headers.push_back({"Access-Control-Request-Headers", "x-requested-with"});
  const auto header = [](const net::http_response& response, std::string_view name) {
    for (const auto& each : response.headers) {
      if (each.name == name) return each.value;
    }
    return std::string("(none)");
  };
  endpoints node(*hub, log, pages, names);
  const auto preflight = node.answer(asked);
  EXPECT_EQ(preflight.status, 204U);
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Headers"), "x-requested-with");
  EXPECT_EQ(header(preflight, "Access-Control-Allow-Methods"), "POST");
  const auto answer = node.answer(from("POST", "/chat/negotiate", "https://app.example.org"));
  EXPECT_EQ(header(answer, "Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_EQ(header(answer, "Vary"), "Origin");
  const auto own = node.answer(from("POST", "/chat/negotiate", "http://chat.example.org:8080"));
  EXPECT_EQ(header(own, "Access-Control-Allow-Origin"), "(none)");
  const auto foreign = node.answer(from("OPTIONS", "/chat/negotiate", "https://evil.example.org"));
  EXPECT_EQ(foreign.status, 403U);
  EXPECT_EQ(header(foreign, "Access-Control-Allow-Origin"), "(none)");
}

TEST_F(Endpoints, AdmitKnowsNoStrangersAndKeepsTheLimit) {
  hub_limits limits;
  limits.connections_max = 1;
  start(limits);
  EXPECT_EQ(admitted("id=guessed"), 404U);
  EXPECT_EQ(admitted(""), 101U);
  client only = connect();
  EXPECT_EQ(admitted(""), 503U);
  EXPECT_EQ(hub->counters().refused, 1U);
  EXPECT_EQ(ask("GET", "/readyz").status, 200U) << "it is full because it was told to be";
}

TEST_F(Endpoints, SaysThatItIsOutOfDescriptors) {
  hub_limits limits;
  limits.connections_max = 1;
  limits.descriptors_limit = 80;
  start(limits);
  EXPECT_EQ(ask("GET", "/readyz").status, 200U);
  {
    client only = connect();
    EXPECT_EQ(ask("GET", "/readyz").body,
              "out of descriptors: 1 clients are connected, and the limit of 80 open files (ulimit "
              "-n) leaves no room for more\n");
    EXPECT_NE(ask("GET", "/metrics").body.find("ordeal_chat_out_of_descriptors 1"),
              std::string::npos);
  }
  hub->out_of_descriptors(true);
  EXPECT_EQ(ask("GET", "/readyz").status, 503U);
  hub->out_of_descriptors(false);
}

// Method: the rules of `promtool check metrics`: names in snake_case with our prefix, HELP and TYPE
// for each family, counters and only counters end in _total, base units.
TEST_F(Endpoints, MetricsKeepTheNamingRules) {
  start();
  std::istringstream exposition(ask("GET", "/metrics").body);
  std::set<std::string> families;
  std::set<std::string> sampled;
  const std::regex type_line(R"(# TYPE (ordeal_chat_[a-z0-9_]+) (counter|gauge|histogram))");
  const std::regex bad_unit(R"(.*(_ms|_milliseconds|_kb|_mb|_minutes|_micros|_us)(_.*)?)");
  for (std::string line; std::getline(exposition, line);) {
    std::smatch match;
    if (std::regex_match(line, match, type_line)) {
      families.insert(match[1]);
      const std::string name = match[1];
      const bool ends_in_total = name.size() > 6 && name.compare(name.size() - 6, 6, "_total") == 0;
      EXPECT_EQ(ends_in_total, match[2] == "counter") << line;
      EXPECT_FALSE(std::regex_match(name, bad_unit)) << name;
    } else if (line.rfind("# HELP ", 0) != 0) {
      sampled.insert(line.substr(0, line.find_first_of("{ ")));
    }
  }
  EXPECT_GE(families.size(), 25U);
  for (const auto& name : families) {
    EXPECT_TRUE(sampled.count(name) + sampled.count(name + "_bucket") > 0)
        << name << " has no child";
  }
}

TEST_F(Endpoints, MetricsCount) {
  start();
  client reader = connect_and_greet();
  invoke(reader, "1", "Join", R"(["a",null])");
  invoke(reader, "2", "Send", R"(["a","m1","x"])");
  endpoints node(*hub, log, pages, names);
  net::http_request request;
  request.method = "GET";
  request.path = "/metrics";
  node.answer(request);
  log.publish("a", "m2", "x");
  poll();
  const std::string body = node.answer(request).body;
  for (const char* sample :
       {"ordeal_chat_connections 1\n", "ordeal_chat_rooms 1\n", "ordeal_chat_sends_total 1\n",
        "ordeal_chat_messages_read_total 2\n", "ordeal_chat_deliveries_total 2\n",
        "ordeal_chat_log_state{state=\"open\"} 1\n", "ordeal_chat_log_index 2\n",
        "ordeal_chat_connections_closed_total{cause=\"slow\"} 0\n",
        "ordeal_chat_frame_records_bucket{le=\"+Inf\"} "}) {
    EXPECT_NE(body.find(sample), std::string::npos) << sample << "\n" << body;
  }
}

TEST_F(Endpoints, MetricsTellOfRecoveries) {
  start();
  log.health().state = log_state::recovering;
  log.health().epoch = 3'000'007;
  log.health().last_read = position{1, 9};
  log.health().recoveries = 4;
  log.health().repairs = 3;
  log.health().restored = 120;
  log.health().forks = 2;
  log.health().gaps = 1;
  endpoints node(*hub, log, pages, names);
  net::http_request request;
  request.method = "GET";
  request.path = "/metrics";
  const std::string body = node.answer(request).body;
  for (const char* sample :
       {"ordeal_chat_log_state{state=\"recovering\"} 1\n",
        "ordeal_chat_log_state{state=\"open\"} 0\n", "ordeal_chat_log_recoveries_total 4\n",
        "ordeal_chat_log_repairs_total 3\n", "ordeal_chat_log_restored_entries_total 120\n",
        "ordeal_chat_log_forks_total 2\n", "ordeal_chat_log_gaps_total 1\n",
        "ordeal_chat_log_epoch 3000007\n", "ordeal_chat_resets_total{cause=\"fork\"} 0\n"}) {
    EXPECT_NE(body.find(sample), std::string::npos) << sample << "\n" << body;
  }
}

}  // namespace
}  // namespace ordeal::chat::test

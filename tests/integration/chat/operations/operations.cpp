#include "tests/integration/chat/operations/operations.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ordeal::test {
namespace {

std::vector<std::string> arguments_of(const chat_process::options& wanted) {
  std::vector<std::string> words{ORDEAL_CHAT_PROGRAM,
                                 "--node",
                                 wanted.name,
                                 "--listen",
                                 "127.0.0.1:" + std::to_string(wanted.port),
                                 "--redis-url",
                                 "redis://" + wanted.redis_user +
                                     (wanted.redis_user.empty() ? "" : "@") +
                                     "127.0.0.1:" + std::to_string(wanted.redis_port)};
  if (!wanted.password_file.empty()) {
    words.emplace_back("--redis-password-file");
    words.push_back(wanted.password_file.string());
  }
  words.insert(words.end(), wanted.flags.begin(), wanted.flags.end());
  if (wanted.descriptors != 0) {
    const std::string limit = std::to_string(wanted.descriptors);
    words.insert(words.begin(), {"prlimit", "--nofile=" + limit + ":" + limit});
  }
  return words;
}

}  // namespace

redis_server_options with_password() {
  redis_server_options options;
  options.password = std::string(marker) + "-default";
  return options;
}

chat_process::chat_process(const options& wanted, const std::filesystem::path& directory)
    : name_(wanted.name), program_(arguments_of(wanted), directory) {
  const std::string sentence = "listening on 127.0.0.1:";
  const auto is_listening = [&] { return log().find(sentence) != std::string::npos; };
  if (!eventually(is_listening, seconds(15)))
    throw std::runtime_error("ordeal-chat does not listen: " + log());
  const std::string text = log();
  const int port = std::stoi(text.substr(text.find(sentence) + sentence.size()));
  endpoint_ =
      asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port));
}

std::size_t chat_process::count_in_log(std::string_view text) const {
  const std::string all = log();
  std::size_t count = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
  return count;
}

std::size_t chat_process::resident_bytes() const {
  std::istringstream status(read_file("/proc/" + std::to_string(program_.pid()) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1'024;
  }
  return 0;
}

Operations::Operations(redis_server_options options)
    : redis(std::move(options)), password_file(scratch.path() / "password") {
  const std::string password = redis.connection().auth.password;
  if (!password.empty()) std::ofstream(password_file) << password << "\n";
}

Operations::~Operations() {
  for (const auto& node : nodes_) forget(*node);
  expect_no_marker();
}

void Operations::forget(chat_process& node) {
  heard(node.log());
  heard(read_file("/proc/" + std::to_string(node.program().pid()) + "/cmdline"));
}

void Operations::expect_no_marker() {
  const auto at = heard_.find(marker);
  if (at == std::string::npos) return;
  ADD_FAILURE() << "a password was told: " << heard_.substr(at > 100 ? at - 100 : 0, 200);
}

chat_process::options Operations::node_options() const {
  chat_process::options wanted;
  wanted.redis_port = redis.port();
  if (!redis.connection().auth.password.empty()) wanted.password_file = password_file;
  wanted.flags = {"--heartbeat-interval", "200ms", "--boot-grace",    "300ms",
                  "--recovery-grace",     "1s",    "--drain-timeout", "3s"};
  return wanted;
}

chat_process& Operations::start_node(std::uint16_t redis_port, std::vector<std::string> flags) {
  auto wanted = node_options();
  if (redis_port != 0) wanted.redis_port = redis_port;
  wanted.flags.insert(wanted.flags.end(), flags.begin(), flags.end());
  return start_node(std::move(wanted));
}

chat_process& Operations::start_node(chat_process::options wanted) {
  const auto directory = scratch.path() / ("start-" + std::to_string(++starts_));
  std::filesystem::create_directory(directory);
  nodes_.push_back(std::make_unique<chat_process>(wanted, directory));
  return *nodes_.back();
}

bool Operations::until(const std::function<bool()>& condition, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.restart();
    io.run_for(milliseconds(20));
    pause_between_polls();  // the io_context may have nothing to do
  }
  return true;
}

net::http_response Operations::get(const chat_process& node, std::string path) {
  net::http_result result;
  bool is_done = false;
  auto on_end = [&](std::exception_ptr, net::http_result got) {
    result = std::move(got);
    is_done = true;
  };
  auto request = net::http_request_once(node.endpoint(), "GET", std::move(path), "", seconds(5));
  asio::co_spawn(io, std::move(request), std::move(on_end));
  io.restart();
  while (!is_done) io.run_one();
  if (result.ec) result.response.status = 0;
  heard(result.response.body);
  return result.response;
}

std::string Operations::readyz(const chat_process& node) {
  const auto answer = get(node, "/readyz");
  std::string text = std::to_string(answer.status) + " " + answer.body;
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

testing::AssertionResult Operations::is_unready(const chat_process& node, std::string_view words,
                                                milliseconds limit) {
  std::string last;
  const auto says_so = [&] {
    last = readyz(node);
    return last.starts_with("503 ") && last.find(words) != std::string::npos;
  };
  const bool was_said = until(says_so, limit);
  if (was_said && last.find('\n') == std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << words << "\" in one line, but: " << last << "\n"
                                     << node.log();
}

testing::AssertionResult Operations::is_ready(const chat_process& node, milliseconds limit) {
  std::string last;
  const auto says_so = [&] {
    last = readyz(node);
    return last == "200 ready";
  };
  if (until(says_so, limit)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "still not ready: " << last << "\n" << node.log();
}

double Operations::metric(const chat_process& node, std::string_view sample) {
  std::istringstream lines(get(node, "/metrics").body);
  const std::string start = std::string(sample) + " ";
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(start)) return std::stod(line.substr(start.size()));
  }
  ADD_FAILURE() << "there is no metric " << sample;
  return -1;
}

std::string Operations::connection_id(std::string_view role) {
  const auto list = redis.command({"CLIENT", "LIST"});
  std::istringstream lines{std::string(list.view().text())};
  for (std::string line; std::getline(lines, line);) {
    const auto name = line.find("name=node-1-" + std::string(role));
    if (name != std::string::npos) return line.substr(3, line.find(' ') - 3);
  }
  return {};
}

void Operations::redis_does(std::initializer_list<std::string_view> words) {
  const auto reply = redis.command(words);
  EXPECT_FALSE(reply.view().is_error()) << *words.begin() << ": " << reply.view().text();
}

}  // namespace ordeal::test

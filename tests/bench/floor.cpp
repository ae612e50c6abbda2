#include "tests/bench/floor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "net/async/clock.h"

namespace ordeal::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

descriptor checked(int fd, const char* what) {
  if (fd < 0) fail(what);
  return descriptor(fd);
}

struct socket_ends {
  std::vector<descriptor> writers;
  std::vector<descriptor> readers;
};

// A soft limit of 1,024 descriptors is common, and often too low.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
}

socket_ends connect_pairs(std::size_t count) {
  const descriptor listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), generic, size) != 0) fail("bind");
  if (::listen(listener.get(), 16) != 0) fail("listen");
  if (::getsockname(listener.get(), generic, &size) != 0) fail("getsockname");
  socket_ends ends;
  for (std::size_t i = 0; i < count; ++i) {
    ends.readers.push_back(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    if (::connect(ends.readers.back().get(), generic, size) != 0) fail("connect");
    ends.writers.push_back(
        checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    const int on = 1;
    if (::setsockopt(ends.writers.back().get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
      fail("TCP_NODELAY");
    }
  }
  return ends;
}

// What a side reports through its pipe.
struct side_costs {
  std::size_t byte_count = 0;
  double cpu_us = 0;
};

double cpu_us_so_far() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) fail("getrusage");
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

// Unmasked text frames, as a server sends them.
std::vector<char> encode_frames(std::size_t count) {
  constexpr std::size_t header_bytes = 4;
  constexpr std::size_t payload_bytes = frame_bytes - header_bytes;
  std::vector<char> frame{'\x81', 126, static_cast<char>(payload_bytes >> 8U),
                          static_cast<char>(payload_bytes & 255U)};
  frame.resize(frame_bytes, 'x');
  std::vector<char> frames;
  for (std::size_t i = 0; i < count; ++i) frames.insert(frames.end(), frame.begin(), frame.end());
  return frames;
}

void write_all(int fd, const std::vector<char>& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t size = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail("send");
    at += static_cast<std::size_t>(size);
  }
}

side_costs run_writer(const std::vector<descriptor>& sockets, const floor_options& options) {
  const std::vector<char> frames = encode_frames(options.frames_per_write);
  net::nanoseconds interval{0};
  if (options.messages_per_second > 0) {
    interval = net::nanoseconds(1'000'000'000) *
               static_cast<std::int64_t>(options.frames_per_write) /
               static_cast<std::int64_t>(options.messages_per_second);
  }
  side_costs costs;
  const double before_us = cpu_us_so_far();
  const net::time_point end = net::now() + options.duration;
  for (net::time_point next = net::now(); next < end && net::now() < end; next += interval) {
    std::this_thread::sleep_until(next);
    for (const descriptor& socket : sockets) write_all(socket.get(), frames);
    costs.byte_count += frames.size() * sockets.size();
  }
  costs.cpu_us = cpu_us_so_far() - before_us;
  return costs;
}

side_costs run_reader(const std::vector<descriptor>& sockets) {
  const descriptor epoll = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  for (const descriptor& socket : sockets) {
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = socket.get();
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.get(), &interest) != 0) fail("epoll_ctl");
  }
  std::array<epoll_event, 128> events{};
  std::vector<char> buffer(64U << 10);
  side_costs costs;
  const double before_us = cpu_us_so_far();
  for (std::size_t open_count = sockets.size(); open_count > 0;) {
    const int ready_count =
        ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    if (ready_count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready_count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (size < 0) fail("recv");
      costs.byte_count += static_cast<std::size_t>(size);
      if (size > 0) continue;
      ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
      --open_count;
    }
  }
  costs.cpu_us = cpu_us_so_far() - before_us;
  return costs;
}

struct side {
  pid_t pid = -1;
  descriptor report;
};

// Runs one side in a process of its own, which has only its own ends of the sockets and dies with
// us.
template <class Run>
side fork_side(Run run, std::vector<descriptor>& foreign_ends) {
  std::array<int, 2> pipe_ends{};
  if (::pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail("pipe2");
  descriptor report_from(pipe_ends[0]);
  descriptor report_to(pipe_ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    foreign_ends.clear();
    try {
      const side_costs costs = run();
      ::_exit(::write(report_to.get(), &costs, sizeof costs) == sizeof costs ? 0 : 1);
    } catch (const std::exception& failure) {
      const std::string line = std::string("bench floor: ") + failure.what() + "\n";
      [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
      ::_exit(1);
    }
  }
  return side{pid, std::move(report_from)};
}

side_costs result_of(const side& from) {
  side_costs costs;
  const bool has_report = ::read(from.report.get(), &costs, sizeof costs) == sizeof costs;
  int status = 0;
  while (::waitpid(from.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!has_report) throw std::runtime_error("one side of the floor measurement failed");
  return costs;
}

}  // namespace

floor_costs measure_floor(const floor_options& options) {
  raise_descriptor_limit();
  socket_ends ends = connect_pairs(options.socket_count);
  const auto write = [&ends, &options] { return run_writer(ends.writers, options); };
  const auto read = [&ends] { return run_reader(ends.readers); };
  const side reader = fork_side(read, ends.writers);
  const side writer = fork_side(write, ends.readers);
  // The reader ends when the last copy of the writing ends is closed.
  ends.writers.clear();
  ends.readers.clear();
  const side_costs written = result_of(writer);
  const side_costs received = result_of(reader);
  floor_costs costs;
  costs.frame_count = written.byte_count / frame_bytes;
  if (costs.frame_count == 0 || written.byte_count != received.byte_count) {
    throw std::runtime_error("the floor reader did not get what the writer wrote");
  }
  costs.write_cpu_us_per_frame = written.cpu_us / static_cast<double>(costs.frame_count);
  costs.read_cpu_us_per_frame = received.cpu_us / static_cast<double>(costs.frame_count);
  return costs;
}

}  // namespace ordeal::bench

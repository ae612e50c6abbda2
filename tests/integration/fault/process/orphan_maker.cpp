// A program that a test kills with -9: it starts a shell with three descendants, one of which has
// left its session, and waits. The shell writes all pids, then the word "ready", to the file named
// by the argument.
#include "fault-injection/process/process.h"
#include "net/async/run_main.h"

namespace {

namespace asio = boost::asio;
using namespace ordeal;

asio::awaitable<void> run(asio::any_io_executor ex, fault::warden& warden, std::string file) {
  const auto launcher = warden.make_launcher(ex);
  fault::process_spec spec;
  spec.name = "shell";
  spec.command = {"sh", "-c",
                  "sleep 1000 & echo $!; (setsid sh -c 'echo $$; exec sleep 1000' & ); "
                  "trap '' TERM HUP INT; echo $$; sleep 0.1; echo $PPID; echo ready; wait"};
  spec.log_file = std::move(file);
  fault::launch_result result = co_await launcher->launch(std::move(spec));
  if (result.started) co_await result.started->wait_exit();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  fault::warden warden = fault::warden::fork_now();
  asio::io_context io(1);
  net::run_main(io, run(io.get_executor(), warden, argv[1]));
}

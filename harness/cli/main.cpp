#include <exception>
#include <iostream>

#include "harness/cli/verbs.h"
#include "harness/drivers/driver.h"
#include "harness/target/target_search.h"
#include "net/async/program.h"

int main(int argc, char** argv) {
  using namespace ordeal;
  net::open_standard_streams();
  net::ignore_stray_signals();
  try {
    const harness::world where{std::cout,
                               std::cerr,
                               harness::find_share(),
                               fault::kinds(),
                               harness::driver_names(),
                               harness::run_scenarios,
                               harness::verify_run,
                               harness::show_history};
    const harness::exit_code code =
        harness::run_command_line(std::vector<std::string>(argv + 1, argv + argc), where);
    std::cout.flush();
    return static_cast<int>(code);
  } catch (const std::exception& ex) {
    std::cerr << "internal error: " << ex.what() << "\n";
    return static_cast<int>(harness::exit_code::internal_error);
  }
}

// The launcher over a warden's socket, and its two decisions as plain functions.
#pragma once

#include <memory>
#include <string>

#include "fault-injection/process/process.h"
#include "fault-injection/process/warden_channel.h"

namespace ordeal::fault {

// What the warden is asked for; its id is still to be chosen. Paths become absolute.
launch_request request_for(const process_spec& spec);

// The sentence for the user.
std::string describe_failure(const process_spec& spec, const failed_event& why);

// Takes `socket` over.
std::unique_ptr<launcher> make_warden_launcher(asio::any_io_executor ex, int socket,
                                               pid_t warden_pid);

}  // namespace ordeal::fault

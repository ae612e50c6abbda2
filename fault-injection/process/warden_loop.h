// The life of the warden process: serve requests, report exits, and when the socket closes kill
// every descendant. One thread, no Asio: it is a fork of a program that has not started yet.
#pragma once

namespace ordeal::fault {

// Never returns; ends the process. `socket` is the warden's end of the pair. Call it with all
// signals blocked.
[[noreturn]] void run_warden(int socket);

}  // namespace ordeal::fault

// What a program does first, before it opens a file or starts a thread.
#pragma once

namespace ordeal::net {

// Standard streams that were closed lead nowhere from here on. Otherwise the next socket would get
// the number of one, and whatever is printed would go into it.
void open_standard_streams();

// Signals that nobody sends on purpose, and that would end the program, are ignored: user signals,
// timers, a reader that went away, a file at its size limit (the write fails and says so). INT, TERM,
// HUP and QUIT keep their meaning. Children do not inherit it where they set up their own signals.
void ignore_stray_signals();

}  // namespace ordeal::net

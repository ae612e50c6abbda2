// The enumerators of events as files and people write them. Constant texts, any thread.
#pragma once

#include "harness/history/event.h"

namespace ordeal::harness {

const char* word_of(outcome value);
const char* word_of(payload_state value);
const char* word_of(node_state value);
const char* word_of(phase_kind value);
const char* word_of(tap_point value);
const char* word_of(reason_kind value);
const char* word_of(cut_cause value);
const char* word_of(skip_reason value);

}  // namespace ordeal::harness

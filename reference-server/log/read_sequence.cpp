#include "reference-server/log/read_sequence.h"

namespace ordeal::chat {

read_step read_sequence::on_entry(position at) {
  if (at.epoch < last_.epoch || at.index <= last_.index) return read_step::fork;
  const bool is_next = at.index == last_.index + 1;
  last_ = at;
  return is_next ? read_step::deliver : read_step::gap;
}

}  // namespace ordeal::chat

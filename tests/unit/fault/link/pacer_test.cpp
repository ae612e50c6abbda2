// Who shares a thin wire gets it in turn, and nobody faster than it is.
#include "fault-injection/link/pacer.h"

#include <gtest/gtest.h>

namespace ordeal::fault {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t rate = 32'000;
const net::time_point start{std::chrono::hours(1)};

TEST(Pacer, BytesTakeTheirTime) {
  pacer wire;
  EXPECT_EQ(wire.take(3'200, rate, start), start + milliseconds(100));
}

TEST(Pacer, TheSecondWaitsForTheFirst) {
  pacer wire;
  wire.take(3'200, rate, start);
  EXPECT_EQ(wire.take(3'200, rate, start + milliseconds(10)), start + milliseconds(200));
}

TEST(Pacer, IdleTimeIsNotSavedUp) {
  pacer wire;
  wire.take(3'200, rate, start);
  EXPECT_EQ(wire.take(3'200, rate, start + milliseconds(5'000)), start + milliseconds(5'100));
}

TEST(Pacer, PiecesAreSmallEnoughToTakeTurns) {
  EXPECT_EQ(pacer::piece_bytes(rate), 640U);
  EXPECT_GT(pacer::piece_bytes(1), 0U);
  EXPECT_LE(pacer::piece_bytes(std::uint64_t{1} << 40), 64U << 10);
}

}  // namespace
}  // namespace ordeal::fault

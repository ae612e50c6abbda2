// Replies of CLIENT LIST as Redis 7.0 gives them, shortened.
#include "fault-injection/redis/client_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ordeal::fault {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view list =
    "id=3 addr=127.0.0.1:5000 laddr=127.0.0.1:6379 fd=8 name= age=1 cmd=ping user=chat redir=-1 "
    "resp=2\n"
    "id=4 addr=127.0.0.1:5001 laddr=127.0.0.1:6379 fd=9 name=user=chat age=1 cmd=ping "
    "user=ordeal-admin resp=2\n"
    "id=12 addr=127.0.0.1:5002 laddr=127.0.0.1:6379 fd=10 name= age=0 cmd=xread user=chat redir=-1 "
    "resp=2\n";

TEST(ClientList, FindsTheConnectionsOfAUser) {
  EXPECT_THAT(connections_of(list, "chat"), ElementsAre("3", "12"));
  EXPECT_THAT(connections_of(list, "ordeal-admin"), ElementsAre("4"));
}

TEST(ClientList, MatchesWholeNamesOnly) {
  EXPECT_THAT(connections_of(list, "cha"), IsEmpty());
  EXPECT_THAT(connections_of(list, ""), IsEmpty());
  EXPECT_THAT(connections_of("", "chat"), IsEmpty());
}

}  // namespace
}  // namespace ordeal::fault

// Call templates of the target file become JSON arguments.
#include "harness/drivers/call_arguments.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace ordeal::harness {
namespace {

std::string fill(std::vector<std::string> arguments, const call_values& values) {
  call_template call;
  call.arguments = std::move(arguments);
  return boost::json::serialize(fill_arguments(call, values));
}

TEST(CallArguments, PlaceholdersAreFilled) {
  call_values values;
  values.room = "r\"1";
  values.payload = "text";
  values.message_id = "m-1";
  values.cursor = "c";
  EXPECT_EQ(fill({"${room}", "${cursor}"}, values), R"(["r\"1","c"])");
  EXPECT_EQ(fill({"room:${room}", "${message_id}/${payload}!", "fixed", ""}, values),
            R"(["room:r\"1","m-1/text!","fixed",""])");
  EXPECT_EQ(fill({}, values), "[]");
}

TEST(CallArguments, MissingCursorIsNullWhenItIsTheWholeArgument) {
  EXPECT_EQ(fill({"${cursor}", "after=${cursor}"}, call_values()), R"([null,"after="])");
}

TEST(CallArguments, ValuesAreNotFilledAgain) {
  call_values values;
  values.room = "${payload}";
  values.payload = "secret";
  EXPECT_EQ(fill({"${room}"}, values), R"(["${payload}"])");
}

TEST(CallArguments, UnknownAndUnfinishedPlaceholdersStay) {
  EXPECT_EQ(fill({"${planet}", "${room", "$room}"}, call_values()),
            R"(["${planet}","${room","$room}"])");
}

TEST(CallArguments, PlaceholderIsFoundInsideAnArgument) {
  call_template call;
  call.arguments = {"${room}", "id=${message_id}"};
  EXPECT_TRUE(has_placeholder(call, "message_id"));
  EXPECT_FALSE(has_placeholder(call, "payload"));
}

TEST(FillPath, NamesTheClientWhereverItIsWanted) {
  EXPECT_EQ(fill_path("/chat", "c-1"), "/chat");
  EXPECT_EQ(fill_path("/${client}?sender=${client}", "c-1"), "/c-1?sender=c-1");
  EXPECT_EQ(fill_path("/?x=${client}", "${client}"), "/?x=${client}") << "once";
}

}  // namespace
}  // namespace ordeal::harness

// The schema's derived documents name every key, and the JSON among them is JSON.

#include "config/documents.hpp"

#include <gmock/gmock.h>

#include "config/document/node.hpp"
#include "config/schema/type.hpp"

namespace slipway::config {
namespace {

/// Calls `visit` with the reference's path of every key.
template <typename Visit>
void each_key(const Type& type, const std::string& prefix, const Visit& visit) {
  for (const Field& field : type.fields) {
    const std::string path = prefix + std::string(field.key);
    visit(path, field);
    const Type& inner = field.type->element != nullptr ? *field.type->element : *field.type;
    if (inner.kind != Kind::kStruct) continue;
    const bool list = field.type->kind == Kind::kList;
    each_key(inner, path + (list ? "[]." : field.type->kind == Kind::kMap ? ".NAME." : "."), visit);
  }
}

TEST(Reference, HasEveryKeyWithItsHelp) {
  const std::string reference = reference_markdown();
  int keys = 0;
  each_key(configuration_type(), "", [&](const std::string& path, const Field& field) {
    ++keys;
    EXPECT_THAT(reference, testing::HasSubstr("| `" + path + "` |")) << path;
    EXPECT_GT(field.help.size(), 6U) << path;
    EXPECT_TRUE(field.help.ends_with('.')) << path;
  });
  EXPECT_GT(keys, 130);
}

TEST(Reference, ShowsDefaults) {
  EXPECT_THAT(reference_markdown(), testing::HasSubstr("| `workers.NAME.stop_grace_period` | duration | `10s` |"));
  EXPECT_THAT(reference_markdown(), testing::HasSubstr("| `workers.NAME.restart_jitter` | percentage | `10%` |"));
  EXPECT_THAT(reference_markdown(), testing::HasSubstr("| `control.mode` | octal mode | `0600` |"));
}

TEST(Schema, KeysOfAStructAreUnique) {
  std::map<std::string, int> seen;
  each_key(configuration_type(), "",
           [&](const std::string& path, const Field&) { EXPECT_EQ(++seen[path], 1) << path; });
}

const Node& at(const Node& node, std::string_view key) {
  const Entry* entry = node.find(key);
  static const Node kNothing;
  EXPECT_NE(entry, nullptr) << key;
  return entry == nullptr ? kNothing : entry->value;
}

TEST(JsonSchema, IsJsonAndHasEveryTopLevelKey) {
  Problems problems;
  const Node root = read_json(json_schema(), problems.add_file("schema"), problems);
  for (const Diagnostic& problem : problems.sorted()) ADD_FAILURE() << to_string(problem);
  EXPECT_EQ(at(root, "$schema").text, "https://json-schema.org/draft/2020-12/schema");
  const Node& properties = at(root, "properties");
  for (const Field& field : configuration_type().fields) {
    const Node& property = at(properties, field.key);
    EXPECT_EQ(at(property, "description").text, field.help);
    EXPECT_GE(at(property, "anyOf").items.size(), 2U);
  }
  const Node& workers = at(at(properties, "workers"), "anyOf").items.at(0);
  const Node& worker = at(at(workers, "additionalProperties"), "anyOf").items.at(0);
  EXPECT_EQ(at(worker, "required").items.at(0).text, "command");
  EXPECT_EQ(at(at(at(worker, "properties"), "replicas"), "default").text, "1");
}

}  // namespace
}  // namespace slipway::config

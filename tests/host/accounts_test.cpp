#include "host/accounts.hpp"

#include <gmock/gmock.h>

#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Accounts : public HostTest {
 protected:
  Accounts() {
    files.passwd = write_file("passwd",
                              "root:x:0:0:root:/root:/bin/sh\n"
                              "#comment:x:1:1:::\n"
                              "short:x:5\n"
                              "hex:x:0x10:1:::\n"
                              "negative:x:-1:1:::\n"
                              "wide:x:4294967295:1:::\n"
                              "huge:x:99999999999:1:::\n"
                              ":x:7:7:::\n"
                              "many:x:8:8:a:b:c:d\n"
                              "\xff\xfe:x:9:9::/:\n"
                              "app:x:1000:100:The app,,,:/home/app:/bin/bash\n"
                              "app:x:1001:101::/second:\n"
                              "1234:x:77:78::/number:\n"
                              "last:x:2000:2000::/last:/bin/sh");
    files.group = write_file("group",
                             "root:x:0:\n"
                             "users:x:100:app\n"
                             "ops:x:300:root,app,,last\n"
                             "more:x:300:app\n"
                             "bad:x:abc:app\n"
                             "web:x:400:");
  }
  Result<Identity> resolve(const std::string& user, const std::string& group = "",
                           const std::vector<std::string>& more = {}) {
    return resolve_identity(user, group, more, files);
  }

  AccountFiles files;
};

TEST_F(Accounts, FindsEntriesAndIgnoresMalformedLines) {
  EXPECT_EQ(find_user("app", files)->uid, 1000U);
  EXPECT_EQ(find_user("app", files)->home, "/home/app");
  EXPECT_EQ(find_user("last", files)->shell, "/bin/sh");
  EXPECT_EQ(find_user(uid_t{2000}, files)->name, "last");
  for (const char* name : {"short", "hex", "negative", "wide", "huge", "", "many", "#comment", "nobody"}) {
    EXPECT_FALSE(find_user(name, files).has_value()) << name;
  }
  EXPECT_EQ(find_group("web", files)->gid, 400U);
  EXPECT_THAT(find_group(gid_t{300}, files)->members, ElementsAre("root", "app", "last"));
  EXPECT_FALSE(find_group("bad", files).has_value());
}

TEST_F(Accounts, ResolvesNamesNumbersAndGroups) {
  const auto app = resolve("app").value();
  EXPECT_EQ(app.uid, 1000U);
  EXPECT_EQ(app.gid, 100U);
  EXPECT_THAT(app.groups, ElementsAre(100U, 300U));
  EXPECT_EQ(resolve("app:web").value().gid, 400U);
  EXPECT_EQ(resolve("app:web", "ops").value().gid, 300U);
  EXPECT_EQ(resolve("1000").value(), app);
  EXPECT_EQ(resolve("1234").value().uid, 77U);  // a name that looks like a number is a name
  const auto unknown = resolve("4321:99").value();
  EXPECT_EQ(unknown.uid, 4321U);
  EXPECT_EQ(unknown.gid, 99U);
  EXPECT_EQ(unknown.name, "");
  EXPECT_EQ(resolve("4321").value().gid, 0U);
  EXPECT_THAT(resolve("4321", "", {"web", "5", "5"}).value().groups, ElementsAre(5U, 400U));
}

TEST_F(Accounts, RefusesWhatDoesNotExist) {
  EXPECT_THAT(resolve("ghost").error().message, HasSubstr("user 'ghost': no such user"));
  EXPECT_THAT(resolve("app:ghost").error().message, HasSubstr("group 'ghost': no such group"));
  EXPECT_THAT(resolve("4294967295").error().message, HasSubstr("out of range"));
  EXPECT_THAT(resolve("app", "", {"99999999999"}).error().message, HasSubstr("out of range"));
  EXPECT_FALSE(resolve("-1").has_value());
}

TEST_F(Accounts, NeedsNoFiles) {
  files = {"/no/passwd", "/dev/null"};
  EXPECT_EQ(resolve("1000:1000").value().uid, 1000U);
  EXPECT_FALSE(resolve("root").has_value());
}

}  // namespace
}  // namespace slipway::host

#include "host/accounts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <limits>
#include <string_view>
#include <unistd.h>

#include "host/descriptor.hpp"

namespace slipway::host {
namespace {

/// A hostile or broken file must not exhaust PID 1.
constexpr std::size_t kMaximumFile = 16 << 20;

std::string read_accounts(const std::string& path) {
  std::string content;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, 16384> buffer;
  while (file && content.size() < kMaximumFile) {
    const ssize_t bytes = ::read(file.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
  return content;
}

/// A whole number and nothing else; the all-ones id means "unchanged" to the kernel and is nobody's.
std::optional<unsigned> parse_id(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  if (value == std::numeric_limits<unsigned>::max()) return {};
  return value;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// Splits a line into exactly N fields; the last takes no further colon. Empty when the line is malformed.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> split(std::string_view line) {
  if (std::count(line.begin(), line.end(), ':') != static_cast<std::ptrdiff_t>(N) - 1) return {};
  std::array<std::string_view, N> fields;
  for (auto& field : fields) field = take(line, ':');
  if (fields[0].empty() || fields[0].front() == '#') return {};
  return fields;
}

template <typename Visit>
void for_each_line(std::string_view content, Visit visit) {
  while (!content.empty()) {
    if (visit(take(content, '\n'))) return;
  }
}

template <typename Match>
std::optional<User> search_users(const AccountFiles& files, Match match) {
  std::optional<User> found;
  for_each_line(read_accounts(files.passwd), [&](std::string_view line) {
    const auto fields = split<7>(line);
    const auto uid = fields ? parse_id((*fields)[2]) : std::nullopt;
    const auto gid = fields ? parse_id((*fields)[3]) : std::nullopt;
    if (!uid || !gid || !match((*fields)[0], *uid)) return false;
    found = User{std::string((*fields)[0]), *uid, *gid, std::string((*fields)[5]), std::string((*fields)[6])};
    return true;
  });
  return found;
}

/// Calls `visit(Group)` until it returns true.
template <typename Visit>
void for_each_group(const AccountFiles& files, Visit visit) {
  for_each_line(read_accounts(files.group), [&](std::string_view line) {
    const auto fields = split<4>(line);
    const auto gid = fields ? parse_id((*fields)[2]) : std::nullopt;
    if (!gid) return false;
    Group group{std::string((*fields)[0]), *gid, {}};
    for (std::string_view rest = (*fields)[3]; !rest.empty();) {
      if (const auto member = take(rest, ','); !member.empty()) group.members.emplace_back(member);
    }
    return visit(std::move(group));
  });
}

Result<gid_t> resolve_group(const std::string& text, const AccountFiles& files) {
  if (const auto group = find_group(text, files)) return group->gid;
  if (const auto gid = parse_id(text)) return *gid;
  return failure(ExitCode::kConfiguration, is_number(text) ? "group " + text + ": out of range"
                                                           : "group '" + text + "': no such group in " + files.group);
}

Result<User> resolve_user(const std::string& text, const AccountFiles& files) {
  if (auto user = find_user(text, files)) return *std::move(user);
  const auto uid = parse_id(text);
  if (!uid) {
    return failure(ExitCode::kConfiguration, is_number(text) ? "user " + text + ": out of range"
                                                             : "user '" + text + "': no such user in " + files.passwd);
  }
  if (auto user = find_user(uid_t{*uid}, files)) return *std::move(user);
  return User{{}, *uid, 0, {}, {}};
}

}  // namespace

std::optional<User> find_user(const std::string& name, const AccountFiles& files) {
  return search_users(files, [&](std::string_view entry, uid_t) { return entry == name; });
}

std::optional<User> find_user(uid_t uid, const AccountFiles& files) {
  return search_users(files, [&](std::string_view, uid_t entry) { return entry == uid; });
}

std::optional<Group> find_group(const std::string& name, const AccountFiles& files) {
  std::optional<Group> found;
  for_each_group(files, [&](Group group) {
    if (group.name == name) found = std::move(group);
    return found.has_value();
  });
  return found;
}

std::optional<Group> find_group(gid_t gid, const AccountFiles& files) {
  std::optional<Group> found;
  for_each_group(files, [&](Group group) {
    if (group.gid == gid) found = std::move(group);
    return found.has_value();
  });
  return found;
}

Result<Identity> resolve_identity(const std::string& user, const std::string& group,
                                  const std::vector<std::string>& supplementary, const AccountFiles& files) {
  const std::size_t colon = user.find(':');
  const std::string user_part = user.substr(0, colon);
  std::string group_part = group;
  if (group_part.empty() && colon != std::string::npos) group_part = user.substr(colon + 1);

  Identity identity{::geteuid(), ::getegid(), {}, {}, {}};
  if (!user_part.empty()) {
    auto found = resolve_user(user_part, files);
    if (!found) return tl::unexpected(std::move(found.error()));
    identity = {found->uid, found->gid, {}, std::move(found->name), std::move(found->home)};
  }
  if (!group_part.empty()) {
    const auto gid = resolve_group(group_part, files);
    if (!gid) return tl::unexpected(gid.error());
    identity.gid = *gid;
  }
  if (!identity.name.empty()) {
    for_each_group(files, [&](const Group& entry) {
      const auto& members = entry.members;
      if (std::find(members.begin(), members.end(), identity.name) != members.end())
        identity.groups.push_back(entry.gid);
      return false;
    });
  }
  for (const std::string& name : supplementary) {
    const auto gid = resolve_group(name, files);
    if (!gid) return tl::unexpected(gid.error());
    identity.groups.push_back(*gid);
  }
  std::sort(identity.groups.begin(), identity.groups.end());
  identity.groups.erase(std::unique(identity.groups.begin(), identity.groups.end()), identity.groups.end());
  return identity;
}

}  // namespace slipway::host

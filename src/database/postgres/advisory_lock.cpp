#include "database/postgres/advisory_lock.hpp"

#include <algorithm>
#include <charconv>
#include <libpq-fe.h>
#include <thread>
#include <utility>

#include "database/postgres/wait.hpp"

namespace slipway::database::postgres {
namespace {

constexpr auto kSayEvery = std::chrono::seconds(5);

std::int64_t hash(const std::string& text) {
  std::uint64_t value = 14695981039346656037ULL;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return static_cast<std::int64_t>(value);
}

/// pg_locks shows a bigint key as two halves (view-pg-locks in PostgreSQL's manual).
std::vector<std::string> halves(std::int64_t key) {
  const auto bits = static_cast<std::uint64_t>(key);
  return {std::to_string(bits >> 32U), std::to_string(bits & 0xffffffffU)};
}

constexpr auto kLockRows =
    " FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND "
    "l.objsubid = 1 AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid AND "
    "l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

std::string holder(Connection& connection, std::int64_t key) {
  const auto rows = connection.query(
      std::string("SELECT 'pid ' || l.pid || coalesce(', user ' || a.usename, '') || coalesce(', from ' || "
                  "a.client_addr::text, '') || coalesce(', application ' || nullif(a.application_name, ''), '') || "
                  "coalesce(', connected since ' || date_trunc('second', a.backend_start)::text, '')") +
          kLockRows + " LIMIT 1",
      halves(key));
  return rows && !rows->value().empty() ? rows->value() : "a session that has just ended";
}

}  // namespace

std::int64_t advisory_lock_key(const std::string& key, const std::string& schema) {
  if (key == "auto") return hash("slipway migration lock: " + schema);
  std::int64_t number = 0;
  const auto* end = key.data() + key.size();
  const auto parsed = std::from_chars(key.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : hash(key);
}

AdvisoryLock::AdvisoryLock(Connection connection, std::int64_t key) : connection_(std::move(connection)), key_(key) {}

AdvisoryLock::AdvisoryLock(AdvisoryLock&& other) noexcept
    : connection_(std::exchange(other.connection_, std::nullopt)), key_(other.key_) {}

Result<AdvisoryLock> AdvisoryLock::acquire(const ResolvedDatabase& database, const config::MigrationLock& lock,
                                           const Report& report) {
  auto parameters = application_parameters(database);
  parameters.values["application_name"] = "slipway migration lock";
  config::PostgresWait wait;
  wait.timeout = std::clamp<config::Duration>(lock.timeout, std::chrono::seconds(1), std::chrono::seconds(30));
  auto connection = wait_until_ready(parameters, wait, report);
  if (!connection) return tl::unexpected(connection.error());
  const auto key = advisory_lock_key(lock.key, database.schema);
  if (connection->server_version() >= 140000) {
    if (auto done = connection->execute("SET idle_session_timeout = 0"); !done) return tl::unexpected(done.error());
  }
  const auto deadline = Clock::now() + lock.timeout;
  auto say_next = Clock::now();
  auto interval = std::chrono::milliseconds(20);
  // Polled: a session blocked inside pg_advisory_lock() keeps a snapshot, and CREATE INDEX CONCURRENTLY in the holder's
  // migration would wait for it for ever.
  for (;;) {
    auto got = connection->query("SELECT pg_try_advisory_lock($1::bigint)", {std::to_string(key)});
    if (!got) return tl::unexpected(got.error());
    if (got->value() == "t") return AdvisoryLock(std::move(*connection), key);
    const auto now = Clock::now();
    if (now >= deadline) {
      return failure(ExitCode::kLockTimeout, describe(parameters) + ": migration lock " + std::to_string(key) +
                                                 " is held by " + holder(*connection, key) +
                                                 ": wait for that migration, or raise migrations.lock.timeout");
    }
    if (now >= say_next) {
      say(report, "waiting for the migration lock, held by " + holder(*connection, key));
      say_next = now + kSayEvery;
    }
    std::this_thread::sleep_for(std::min<Clock::duration>(interval, deadline - now));
    interval = std::min(interval * 2, std::chrono::milliseconds(500));
  }
}

AdvisoryLock::~AdvisoryLock() {
  // A moved-from lock has no connection; ending the session would release it as well, only later through a pooler.
  if (!connection_) return;
  [[maybe_unused]] const auto released =
      connection_->query("SELECT pg_advisory_unlock($1::bigint)", {std::to_string(key_)});
}

Result<void> AdvisoryLock::verify() {
  auto rows =
      connection_->query(std::string("SELECT count(*)") + kLockRows + " AND l.pid = pg_backend_pid()", halves(key_));
  if (rows && rows->value() != "0") return {};
  return failure(ExitCode::kLockTimeout,
                 "migration lock " + std::to_string(key_) + ": lost" +
                     (rows ? std::string(": the session no longer holds it") : ": " + rows.error().message) +
                     ": another replica may be migrating: start again; behind a pooler use session mode");
}

int AdvisoryLock::descriptor() const { return connection_ ? PQsocket(connection_->native()) : -1; }

}  // namespace slipway::database::postgres

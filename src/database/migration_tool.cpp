#include "database/migration_tool.hpp"

#include <algorithm>
#include <sstream>

namespace slipway::database {
namespace {

using config::CommandLine;
using config::MigrationTool;

/// What precedes `word` in the command that migrates, or `usual`.
std::vector<std::string> prefix(const config::Migrations& migrations, const std::string& word,
                                std::vector<std::string> usual) {
  if (migrations.command.empty()) return usual;
  const auto& argv = migrations.command.argv;
  const auto found = std::find(argv.begin(), argv.end(), word);
  if (found == argv.begin() || found == argv.end()) return usual;
  return {argv.begin(), found};
}

CommandLine with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return {std::move(words)};
}

void add_alembic(const config::Migrations& migrations, MigrationProcedure& procedure) {
  const auto program = prefix(migrations, "upgrade", {"alembic"});
  if (procedure.steps.empty()) procedure.steps = {{"alembic", with(program, {"upgrade", "heads"})}};
  if (procedure.pending == PendingCheck::kNone) {
    procedure.pending = PendingCheck::kAlembic;
    procedure.heads = with(program, {"heads"});
    procedure.current = with(program, {"current"});
  }
}

void add_django(const config::Migrations& migrations, MigrationProcedure& procedure) {
  const auto program = prefix(migrations, "migrate", {"python3", "manage.py"});
  if (procedure.steps.empty()) procedure.steps = {{"django", with(program, {"migrate", "--noinput"})}};
  if (procedure.pending == PendingCheck::kNone) {
    procedure.pending = PendingCheck::kCommand;
    procedure.check = with(program, {"migrate", "--check"});
  }
}

/// A revision alone, or followed by marks in parentheses: `ae10 (label) (head)`. Empty for anything else.
std::string revision_of(const std::string& line) {
  const auto blank = line.find_first_of(" \t\r");
  const std::string revision = line.substr(0, blank);
  int depth = 0;
  for (const char c : blank == std::string::npos ? "" : line.substr(blank)) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    const bool separator = c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '(' || c == ')' || c == '\0';
    if (depth < 0 || (depth == 0 && !separator)) return "";
  }
  return depth == 0 ? revision : "";
}

std::set<std::string> revisions(const std::string& output, bool heads_only) {
  std::set<std::string> result;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (heads_only && line.find("head)") == std::string::npos) continue;
    if (auto revision = revision_of(line); !revision.empty()) result.insert(std::move(revision));
  }
  return result;
}

}  // namespace

MigrationProcedure migration_procedure(const config::Migrations& migrations) {
  MigrationProcedure procedure;
  procedure.steps = migrations.steps;
  if (!migrations.command.empty()) procedure.steps.insert(procedure.steps.begin(), {"command", migrations.command});
  procedure.check = migrations.check_command;
  if (!procedure.check.empty()) procedure.pending = PendingCheck::kCommand;
  procedure.verify = migrations.verify_command;
  if (migrations.tool == MigrationTool::kAlembic) add_alembic(migrations, procedure);
  if (migrations.tool == MigrationTool::kDjango) add_django(migrations, procedure);
  return procedure;
}

std::set<std::string> alembic_heads(const std::string& output) { return revisions(output, true); }

std::set<std::string> alembic_current(const std::string& output) { return revisions(output, false); }

}  // namespace slipway::database

#include "config/environment_files.hpp"

#include "config/document/node.hpp"
#include "config/document/text_file.hpp"
#include "config/loading/interpolation.hpp"

namespace slipway::config {
namespace {

tl::unexpected<Error> file_failure(const std::string& path, const std::string& what, const FileProblem& problem) {
  return failure(problem.refused ? ExitCode::kPermission : ExitCode::kConfiguration,
                 path + ": " + what + ": " + problem.reason);
}

/// Readable by every dotenv reader as it stands, without quotes.
bool is_bare(std::string_view value) {
  return value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=@%/:.,\\") ==
         std::string_view::npos;
}

/// In double quotes. Two habits of python-dotenv need care: it expands `${...}` everywhere, so a literal `${` is
/// written `${:-$}{`; and it takes a backslash before the closing quote for an escape of that quote, so an empty
/// `${:-}` goes between them.
std::string dotenv_value(std::string_view value) {
  std::string text = "\"";
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char byte = value[at];
    if (byte == '\n')
      text += "\\n";
    else if (byte == '\r')
      text += "\\r";
    else if (byte == '"' || byte == '\\')
      text += std::string("\\") + byte;
    else if (byte == '$' && at + 1 < value.size() && value[at + 1] == '{')
      text += "${:-$}";
    else
      text += byte;
  }
  if (text.ends_with('\\')) text += "${:-}";
  return text + '"';
}

std::string position(std::string_view text, std::size_t offset) {
  int line = 1;
  int column = 1;
  for (const char byte : text.substr(0, offset)) {
    if (byte == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(byte) & 0xC0U) != 0x80U) {
      ++column;
    }
  }
  return std::to_string(line) + ":" + std::to_string(column);
}

Result<void> render(const Template& entry, const StringMap& environment) {
  const auto text = read_text_file(entry.from);
  if (!text) return file_failure(entry.from, "the template cannot be read", text.error());
  const auto rendered = interpolate(*text, environment);
  if (!rendered)
    return failure(ExitCode::kConfiguration,
                   entry.from + ":" + position(*text, rendered.error().offset) + ": " + rendered.error().message);
  const auto written = replace_file(entry.to, rendered->text, entry.mode.bits);
  if (!written) return file_failure(entry.to, "the template's result cannot be written", written.error());
  return {};
}

}  // namespace

std::string format_dotenv(const StringMap& variables) {
  std::string text = "# Written by Slipway from environment_sources at every boot; changes here are lost.\n";
  for (const auto& [name, value] : variables)
    text += name + "=" + (is_bare(value) ? value : dotenv_value(value)) + "\n";
  return text;
}

Result<void> write_environment_output(const std::string& path, const StringMap& variables) {
  const auto written = replace_file(path, format_dotenv(variables), 0600);
  if (!written) return file_failure(path, "environment_output cannot be written", written.error());
  return {};
}

Result<void> render_templates(const std::vector<Template>& templates, const StringMap& environment) {
  for (const Template& entry : templates)
    if (auto rendered = render(entry, environment); !rendered) return rendered;
  return {};
}

}  // namespace slipway::config

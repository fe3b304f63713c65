#include "config/document/node.hpp"
#include "config/document/text_file.hpp"
#include "config/environment_files.hpp"
#include "config/loading/environment_sources.hpp"

namespace slipway::config {

Result<StringMap> read_env_file(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return failure(ExitCode::kConfiguration, path + ": env_file: " + text.error().reason);
  Problems problems;
  const int file = problems.add_file(path);
  StringMap variables;
  if (clean_text(*text, file, problems)) variables = parse_dotenv(*text, file, problems);
  if (!problems.empty()) return failure(ExitCode::kConfiguration, to_string(problems.sorted().front()));
  return variables;
}

}  // namespace slipway::config

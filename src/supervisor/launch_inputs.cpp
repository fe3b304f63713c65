#include "supervisor/launch_inputs.hpp"

#include "config/sha256.hpp"
#include "config/transcript.hpp"

namespace slipway::supervisor {
namespace {

std::string content(const std::string& path, const config::FileReader& read) {
  const auto text = read(path, config::kMaximumFileSize);
  return text ? "read" + *text : "not read: " + text.error().reason;
}

std::string digest_of(const config::StringMap& variables) {
  std::string all;
  for (const auto& [name, value] : variables) all += config::encode_word(name) + config::encode_word(value);
  return config::sha256(all);
}

std::string digest_of(const std::vector<std::string>& files, const config::FileReader& read) {
  if (files.empty()) return {};
  std::string all;
  for (const std::string& file : files) all += config::encode_word(content(file, read));
  return config::sha256(all);
}

/// Nobody knows who reads a rendered file, so every worker counts as its reader.
std::string digest_of_templates(const config::Configuration& configuration, const config::FileReader& read) {
  std::string all = configuration.environment_output;
  for (const config::Template& each : configuration.templates) {
    for (const std::string& word : {each.from, each.to, std::to_string(each.mode.bits), content(each.from, read)}) {
      all += config::encode_word(word);
    }
  }
  return all.empty() ? std::string() : config::sha256(all);
}

}  // namespace

std::map<std::string, engine::LaunchInputs> read_launch_inputs(const config::Loaded& loaded,
                                                               const config::FileReader& read) {
  engine::LaunchInputs common;
  common.environment = digest_of(loaded.environment);
  common.templates = digest_of_templates(loaded.configuration, read);
  std::map<std::string, engine::LaunchInputs> inputs;
  for (const auto& [name, worker] : loaded.configuration.workers) {
    common.env_files = digest_of(worker.env_file, read);
    inputs.emplace(name, common);
  }
  return inputs;
}

}  // namespace slipway::supervisor

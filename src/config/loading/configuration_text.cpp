#include "config/loading/configuration_text.hpp"

#include <filesystem>

#include "config/document/text_file.hpp"
#include "config/loading/environment_sources.hpp"

namespace slipway::config {
namespace {

constexpr const char* kPathVariable = "SLIPWAY_CONFIG";
constexpr const char* kTextVariable = "SLIPWAY_CONFIG_JSON_B64";

std::string variable(const LoadRequest& request, const char* name) {
  const auto found = request.environment.find(name);
  return found == request.environment.end() ? std::string() : found->second;
}

std::string in_directory(const std::string& directory, const std::string& name) {
  return name.starts_with('/') || directory.empty() || directory == "." ? name : directory + "/" + name;
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path result = std::filesystem::absolute(path, error);
  return error ? path : result.lexically_normal().string();
}

ConfigurationText accept(const std::string& name, const std::string& path, std::string text, Problems& problems) {
  return {absolute(path), std::move(text), problems.add_file(name), path.ends_with(".json")};
}

ConfigurationText read_named(const LoadRequest& request, const std::string& name, Problems& problems) {
  const std::string path = in_directory(request.working_directory, name);
  auto text = request.read_file(path, kMaximumConfigurationSize);
  if (text) return accept(name, path, std::move(*text), problems);
  ConfigurationText none{absolute(path), "", problems.add_file(name), false};
  problems.add({none.file, 0, 0}, "the configuration cannot be read: " + text.error().reason);
  return none;
}

ConfigurationText read_variable(const std::string& encoded, Problems& problems) {
  ConfigurationText result{kTextVariable, "", problems.add_file(kTextVariable), false};
  auto text = decode_base64(encoded);
  if (text)
    result.text = std::move(*text);
  else
    problems.add({result.file, 0, 0}, "the value is not base64");
  return result;
}

}  // namespace

ConfigurationText find_configuration(const LoadRequest& request, Problems& problems) {
  if (!request.path.empty()) return read_named(request, request.path, problems);
  if (const std::string path = variable(request, kPathVariable); !path.empty())
    return read_named(request, path, problems);
  if (const std::string encoded = variable(request, kTextVariable); !encoded.empty())
    return read_variable(encoded, problems);
  for (const std::string directory : {"/etc/slipway/", ""}) {
    for (const std::string suffix : {"yaml", "yml", "json"}) {
      const std::string name = directory + "slipway." + suffix;
      const std::string path = in_directory(request.working_directory, name);
      auto text = request.read_file(path, kMaximumConfigurationSize);
      if (text) return accept(name, path, std::move(*text), problems);
      if (!text.error().missing) return read_named(request, name, problems);
    }
  }
  return {"", "", problems.add_file(""), false};
}

Node read_document(ConfigurationText& text, Problems& problems) {
  Node root;
  root.place = {text.file, 0, 0};
  root.kind = Node::Kind::kMap;
  if (text.source.empty()) return root;
  root.complete = clean_text(text.text, text.file, problems);
  if (!root.complete) return root;
  if (text.json) {
    root = read_json(text.text, text.file, problems);
  } else {
    // JSON in a variable may hold surrogate pairs, which YAML does not know.
    Problems refused;
    const bool braces = text.source == kTextVariable && text.text.find_first_not_of(" \t\r\n") == text.text.find('{');
    Node json = braces ? read_json(text.text, text.file, refused) : Node{};
    root = braces && refused.empty() ? std::move(json) : read_yaml(text.text, text.file, problems);
  }
  if (!root.complete || root.kind == Node::Kind::kMap) return root;
  problems.add(root.place, root.kind == Node::Kind::kNull
                               ? "the configuration is empty: it needs at least one section, such as workers"
                               : "expected a map of sections such as database and workers");
  root.complete = false;
  return root;
}

}  // namespace slipway::config

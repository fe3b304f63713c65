#include "config/loading/environment_sources.hpp"

#include "config/document/text_file.hpp"

namespace slipway::config {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '-' || name[0] == '.') return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
         std::string_view::npos;
}

class SourceReader {
 public:
  SourceReader(const LoadRequest& request, const Places& places, Problems& problems)
      : directory_(request.working_directory), read_(request.read_file), places_(places), problems_(problems) {}

  StringMap read(const EnvironmentSource& source, const std::string& path) {
    const int given = !source.file.empty() + !source.json_file.empty() + !source.json_base64.empty();
    if (given > 1) return {};  // reported already
    if (!source.json_base64.empty()) return read_base64(source.json_base64, path);
    if (!source.file.empty()) return read_file(source.file, path + ".file", source.required, &parse_dotenv);
    if (!source.json_file.empty())
      return read_file(source.json_file, path + ".json_file", source.required, &parse_json_variables);
    for (const char* key : {".file", ".json_file"})
      if (places_.keys.contains(path + key) && source.required)
        problems_.add(places_.value(path + key), std::string(key + 1) + ": the path is empty");
    return {};
  }

 private:
  using Parser = StringMap (*)(std::string_view, int, Problems&);

  StringMap read_file(const std::string& name, const std::string& path, bool required, Parser parse) {
    const std::string full = name.starts_with('/') ? name : directory_ + "/" + name;
    auto text = read_(directory_ == "." ? name : full, kMaximumFileSize);
    if (!text && text.error().missing && !required) return {};
    if (!text) {
      problems_.add(places_.value(path),
                    name + ": " + text.error().reason +
                        (text.error().missing ? "; add 'required: false' if it may be missing" : ""));
      return {};
    }
    const int file = problems_.add_file(name);
    return clean_text(*text, file, problems_) ? parse(*text, file, problems_) : StringMap();
  }

  StringMap read_base64(const std::string& encoded, const std::string& path) {
    if (encoded.find_first_not_of(" \t\r\n") == std::string::npos) return {};
    const Place place = places_.value(path + ".json_base64");
    auto text = decode_base64(encoded);
    if (!text) {
      problems_.add(place, "json_base64: the value is not base64");
      return {};
    }
    Problems inside;
    const int file = inside.add_file("");
    StringMap variables;
    if (clean_text(*text, file, inside)) variables = parse_json_variables(*text, file, inside);
    for (const Diagnostic& problem : inside.sorted())
      problems_.add(place, "json_base64: decoded line " + std::to_string(problem.line) + ", column " +
                               std::to_string(problem.column) + ": " + problem.message);
    return variables;
  }

  const std::string& directory_;
  const FileReader& read_;
  const Places& places_;
  Problems& problems_;
};

}  // namespace

StringMap parse_json_variables(std::string_view text, int file, Problems& problems) {
  const std::size_t before = problems.size();
  const Node root = read_json(text, file, problems);
  StringMap variables;
  if (problems.size() > before) return variables;
  if (root.kind != Node::Kind::kMap) {
    problems.add(root.place, "expected a JSON object of variables");
    return variables;
  }
  for (const Entry& entry : root.entries) {
    if (!is_variable_name(entry.key))
      problems.add(entry.place, "'" + entry.key + "' is not a variable's name");
    else if (entry.value.kind == Node::Kind::kScalar)
      variables[entry.key] = entry.value.text;
    else if (entry.value.kind != Node::Kind::kNull)
      problems.add(entry.value.place, entry.key + ": expected text, a number, true, false or null, got " +
                                          (entry.value.kind == Node::Kind::kList ? "an array" : "an object"));
  }
  return variables;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string result;
  unsigned bits = 0;
  int count = 0;
  std::size_t symbols = 0;
  std::size_t padding = 0;
  for (const char byte : text) {
    if (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n') continue;
    if (byte == '=') {
      ++padding;
      continue;
    }
    unsigned value = 0;
    if (byte >= 'A' && byte <= 'Z') {
      value = static_cast<unsigned>(byte - 'A');
    } else if (byte >= 'a' && byte <= 'z') {
      value = static_cast<unsigned>(byte - 'a') + 26;
    } else if (byte >= '0' && byte <= '9') {
      value = static_cast<unsigned>(byte - '0') + 52;
    } else if (byte == '+' || byte == '-') {
      value = 62;
    } else if (byte == '/' || byte == '_') {
      value = 63;
    } else {
      return std::nullopt;
    }
    if (padding > 0) return std::nullopt;
    ++symbols;
    bits = (bits << 6U) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      result += static_cast<char>(static_cast<unsigned char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
    }
  }
  const bool whole = symbols % 4 != 1 && (padding == 0 || (symbols + padding) % 4 == 0) && padding <= 2;
  return whole ? std::optional(std::move(result)) : std::nullopt;
}

StringMap read_environment_sources(const std::vector<EnvironmentSource>& sources, const LoadRequest& request,
                                   const Places& places, Problems& problems) {
  StringMap merged;
  SourceReader reader(request, places, problems);
  for (std::size_t index = 0; index < sources.size(); ++index) {
    const std::string path = "environment_sources[" + std::to_string(index) + "]";
    for (auto& [name, value] : reader.read(sources[index], path)) merged[name] = value;
  }
  return merged;
}

}  // namespace slipway::config

#pragma once
// A directory of its own for each test, and short ways to load a configuration from a text.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/loader.hpp"

namespace slipway::config {

class LoadingTest : public testing::Test {
 protected:
  LoadingTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "slipway-config-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LoadingTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  [[nodiscard]] tl::expected<Loaded, LoadFailure> load_text(const std::string& text, StringMap environment = {},
                                                            const std::string& name = "slipway.yaml") const {
    write(name, text);
    return load({path(name), std::move(environment), directory_});
  }
  /// The configuration of a text that must be valid.
  [[nodiscard]] Loaded good(const std::string& text, StringMap environment = {},
                            const std::string& name = "slipway.yaml") const {
    auto loaded = load_text(text, std::move(environment), name);
    EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : listing(loaded.error()));
    return loaded ? std::move(*loaded) : Loaded{};
  }
  /// The diagnostics of a text that must not be valid, one a line, without the directory.
  [[nodiscard]] std::string bad(const std::string& text, StringMap environment = {},
                                const std::string& name = "slipway.yaml") const {
    const auto loaded = load_text(text, std::move(environment), name);
    EXPECT_FALSE(loaded.has_value());
    return loaded ? std::string() : listing(loaded.error());
  }
  [[nodiscard]] std::string listing(const LoadFailure& failure) const {
    std::string lines;
    for (const Diagnostic& diagnostic : failure.diagnostics) lines += to_string(diagnostic) + "\n";
    for (std::size_t at = lines.find(directory_ + "/"); at != std::string::npos; at = lines.find(directory_ + "/"))
      lines.erase(at, directory_.size() + 1);
    return lines;
  }

  std::string directory_;
};

}  // namespace slipway::config

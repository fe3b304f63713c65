// `slipway schema`: the JSON Schema of the configuration, for editors, or its reference, for people.
#include <iostream>
#include <memory>

#include "config/documents.hpp"
#include "programs/slipway/commands.hpp"

namespace slipway::program {

void add_schema(CLI::App& program, Action& chosen) {
  CLI::App* schema = program.add_subcommand("schema", "the configuration's JSON Schema, for editors");
  const auto markdown = std::make_shared<bool>(false);
  schema->add_flag("--markdown", *markdown, "the reference of every key instead, as Markdown");
  schema->callback([&chosen, markdown] {
    chosen = [markdown] {
      if (*markdown) {
        std::cout << config::reference_markdown() << std::flush;
      } else {
        std::cout << config::json_schema() << std::endl;
      }
      return std::cout ? 0 : 1;
    };
  });
}

}  // namespace slipway::program

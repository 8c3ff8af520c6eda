#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"

namespace cfd::command {

namespace {

/// A command, as the words that lead to it, with what may follow.
struct Place {
  std::string path;  ///< "topic create"; empty for cfd itself
  std::vector<std::string> words;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  Place place{path, {}};
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) place.words.push_back("--" + name);
  }
  for (const auto* command : app.get_subcommands(nullptr)) {
    place.words.push_back(command->get_name());
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), places);
  }
  places.push_back(std::move(place));
}

/// Works in bash, and in zsh through its bashcompinit.
std::string bash_script(const std::vector<Place>& places) {
  std::string cases;
  for (const auto& place : places) {
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", place.path, fmt::join(place.words, " "));
  }
  return "_cfd() {\n"
         "  local place=\"\" word words=\"\"\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) break ;; esac\n"
         "    place=\"${place:+$place }$word\"\n"
         "  done\n"
         "  case $place in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _cfd cfd\n";
}

std::string fish_script(const std::vector<Place>& places) {
  std::string script = "complete -c cfd -e\n";
  for (const auto& place : places) {
    std::string condition = "__fish_use_subcommand";
    if (!place.path.empty()) {
      condition = "__fish_seen_subcommand_from " + place.path.substr(0, place.path.find(' '));
      if (const auto space = place.path.find(' '); space != std::string::npos) {
        condition += "; and __fish_seen_subcommand_from " + place.path.substr(space + 1);
      }
    }
    for (const auto& word : place.words) {
      const bool option = word.starts_with("--");
      script += fmt::format("complete -c cfd -n '{}' {} {}\n", condition, option ? "-l" : "-f -a",
                            option ? word.substr(2) : word);
    }
  }
  return script;
}

}  // namespace

void add_completion(CLI::App& app) {
  auto* command = app.add_subcommand("completion", "Print the completion script of a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example: source <(cfd completion bash)");
  command->callback([shell, &app] {
    std::vector<Place> places;
    collect(app, "", places);
    if (*shell == "fish")
      fmt::print("{}", fish_script(places));
    else if (*shell == "zsh")
      fmt::print("autoload -U +X bashcompinit && bashcompinit\n{}", bash_script(places));
    else
      fmt::print("{}", bash_script(places));
  });
}

}  // namespace cfd::command

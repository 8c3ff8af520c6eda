#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "commands.hpp"
#include "manifest.hpp"
#include "registry/compare.hpp"

namespace cfd::command {

namespace {

using registry::Comparison;
using registry::Finding;
using registry::Severity;

struct DiffOptions {
  std::string caller;
  std::string worker;
  bool json = false;
  bool strict = false;
};

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

std::string painted(Severity severity) {
  if (isatty(STDOUT_FILENO) == 0 || std::getenv("NO_COLOR") != nullptr) return std::string(word(severity));
  const int colour = severity == Severity::error ? 31 : severity == Severity::warning ? 33 : 36;
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, word(severity));
}

void print_json(const Comparison& comparison) {
  boost::json::array findings;
  for (const Finding& finding : comparison.findings) {
    boost::json::object entry;
    entry["severity"] = std::string(word(finding.severity));
    entry["function"] = finding.function;
    entry["reason"] = finding.reason;
    findings.push_back(std::move(entry));
  }
  boost::json::object result;
  result["functions"] = comparison.functions;
  result["findings"] = std::move(findings);
  fmt::print("{}\n", boost::json::serialize(result));
}

void print_text(const Comparison& comparison) {
  for (const Finding& finding : comparison.findings)
    fmt::print("{}: {}: {}\n", painted(finding.severity), finding.function, finding.reason);
  const auto count = [&](Severity severity) {
    return std::ranges::count(comparison.findings, severity, &Finding::severity);
  };
  fmt::print("{} function(s) compared: {} error(s), {} warning(s)\n", comparison.functions,
             count(Severity::error), count(Severity::warning));
}

void diff(const DiffOptions& options) {
  const Comparison comparison =
      registry::compare(load_manifest(options.caller), load_manifest(options.worker));
  if (!comparison.error.empty()) throw Error(comparison.error);
  options.json ? print_json(comparison) : print_text(comparison);
  const Severity least = options.strict ? Severity::warning : Severity::error;
  if (std::ranges::any_of(comparison.findings, [&](const Finding& f) { return f.severity >= least; }))
    throw CLI::RuntimeError(1);
}

}  // namespace

void add_diff(CLI::App& app) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* verb = app.add_subcommand("diff", "say, before a deploy, which calls would fail and why");
  verb->add_option("CALLER", options->caller, "the program that calls, or its manifest in a JSON file")
      ->required();
  verb->add_option("WORKER", options->worker, "the program that executes, or its manifest in a JSON file")
      ->required();
  verb->add_flag("--json", options->json, "one JSON object instead of text");
  verb->add_flag("--strict", options->strict, "fail on warnings too: what fails for some values only");
  verb->footer(
      "Every program that defines dispatchables prints its manifest when run with --cfd-manifest. The exit\n"
      "status is 0 where every call works, 1 where some would fail, 2 where a manifest cannot be had.\n"
      "  cfd diff build/caller build/worker\n"
      "  build/worker --cfd-manifest > deployed.json; cfd diff build/caller deployed.json");
  verb->callback([options] {
    try {
      diff(*options);
    } catch (const Error& error) {
      fmt::print(stderr, "cfd: {}\n", error.what());
      throw CLI::RuntimeError(2);
    }
  });
}

}  // namespace cfd::command

#pragma once

/// \file
/// Topics and subscriptions declared in a YAML file, by the field names of the API:
///
///   project: my-project
///   topics:
///     - name: my-topic
///   subscriptions:
///     - name: my-subscription
///       topic: my-topic
///       pushConfig: {pushEndpoint: "http://localhost:8080/"}

#include <string>
#include <thread>

#include "emulator/broker.hpp"

namespace cfd::emulator {

/// Creates what the text declares and is not there, and changes what is there and differs. What is there and
/// not declared stays. `project` completes short names where the text names none. Throws cfd::Error, naming
/// the entry and the cause; what came before it has been done.
void apply_declaration(const std::string& text, const std::string& project, Broker& broker);

/// Applies a file, and again whenever it changes.
class DeclarationFile {
 public:
  /// Called on the watching thread, after each change of the file, with an empty text or what was wrong with
  /// it.
  using Report = std::function<void(const std::string& error)>;

  /// Applies the file at once; throws cfd::Error where that fails.
  DeclarationFile(std::string path, std::string project, Broker& broker, Report report);

 private:
  void apply() const;
  void watch(const std::stop_token& stop) const;

  const std::string path_;
  const std::string project_;
  Broker& broker_;
  const Report report_;
  std::jthread thread_;
};

}  // namespace cfd::emulator

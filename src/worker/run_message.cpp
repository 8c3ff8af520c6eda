#include "worker/run_message.hpp"

#include <string_view>

#include "execute/executor.hpp"

namespace cfd::worker {

Outcome run_message(const Event& event, const std::string& topic, std::stop_token stop) {
  const std::string_view source =
      topic.empty() ? event.subscription.substr(event.subscription.rfind('/') + 1) : std::string_view(topic);
  return execute::run(event, source, std::move(stop));
}

}  // namespace cfd::worker

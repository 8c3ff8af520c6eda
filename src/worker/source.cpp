#include "worker/source.hpp"

namespace cfd::worker {

std::string_view source_of(const std::string& topic, const Event& event) {
  if (!topic.empty()) return topic;
  return event.subscription.substr(event.subscription.rfind('/') + 1);
}

}  // namespace cfd::worker

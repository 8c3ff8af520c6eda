#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <cfd/call.hpp>

#include "caller/session.hpp"

namespace cfd {
namespace {

class Recorder final : public transport::Publisher {
 public:
  void publish(const transport::Outgoing& /*message*/, detail::CallStatePtr call) override {
    call->confirm("1");
  }
  std::size_t flush(transport::Clock::time_point /*deadline*/) override { return 0; }
  std::size_t close(transport::Clock::time_point /*deadline*/) override { return 0; }
  void resume(std::string_view ordering_key) override { resumed.emplace_back(ordering_key); }
  void resume_all() override { resumed.emplace_back("(all)"); }

  std::vector<std::string> resumed;
};

TEST(Resume, ReachesThePublisherThatTakesTheCallsAndConnectsNothing) {
  resume("before the first call");
  resume_all();
  const auto recorder = std::make_shared<Recorder>();
  caller::replace_publisher(recorder);
  resume("user-7");
  resume_all();
  caller::replace_publisher(nullptr);
  resume("afterwards");
  EXPECT_EQ(recorder->resumed, (std::vector<std::string>{"user-7", "(all)"}));
}

}  // namespace
}  // namespace cfd

// Who may call: pushes with tokens, from the local server and from others; signed and unsigned messages.
#include <fstream>
#include <optional>

#include <boost/beast/http.hpp>
#include <gmock/gmock.h>

#include "auth/test_key.hpp"
#include "integration/deployment.hpp"
#include "integration/http.hpp"

namespace cfd::integration {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view email = "pusher@example.com";
constexpr std::string_view audience = "https://worker";

// A worker that verifies pushes with keys from `keys`.
class GuardedWorker {
 public:
  explicit GuardedWorker(const std::string& keys)
      : process_({CFD_TEST_WORKER, "--port", "0", "--ready-file", directory_ / "ready", "--push-auth-email",
                  std::string(email), "--push-auth-audience", std::string(audience), "--push-auth-keys",
                  keys}),
        port_(wait_for_file(directory_ / "ready", process_)) {}

  Process& process() { return process_; }
  std::string url() const { return "http://127.0.0.1:" + port_ + "/"; }

  /// The answer to a push of a call of t.say.
  Response push(const std::optional<std::string>& authorization) {
    Request request = post(
        R"({"message":{"data":"eyJmdW5jdGlvbiI6InQuc2F5IiwiYXJncyI6WyJoZWxsbyJdfQ==","messageId":"7"},"subscription":"s"})");
    if (authorization) request.set(http::field::authorization, *authorization);
    return answer_of(port_, request);
  }
  Response get(const std::string& target) { return answer_of(port_, Request(http::verb::get, target, 11)); }

 private:
  TemporaryDirectory directory_;
  Process process_;
  std::string port_;
};

TEST(PushAuth, OnlyAGoodTokenOfTheRightAccountIsExecuted) {
  const auth::TestKey key("k1");
  const TemporaryDirectory directory;
  std::ofstream(directory / "keys.json") << auth::key_set(key);
  GuardedWorker worker("file:" + (directory / "keys.json"));
  const auto with = [&](const char* claim, const json::value& value) {
    json::object claims = auth::good_claims();
    claims[claim] = value;
    return worker.push("Bearer " + key.sign(claims)).result_int();
  };
  EXPECT_EQ(worker.get("/healthz").result_int(), 200) << "health checks bring no token";
  const auto refused = worker.push(std::nullopt);
  EXPECT_EQ(refused.result_int(), 401);
  EXPECT_EQ(refused[http::field::www_authenticate], "Bearer");
  EXPECT_EQ(refused.body(), "unauthenticated\n");
  EXPECT_EQ(with("exp", 1'700'000'000), 401);
  EXPECT_EQ(with("aud", "https://other"), 403);
  EXPECT_EQ(with("email", "other@example.com"), 403);
  EXPECT_EQ(worker.push("Bearer " + auth::TestKey("k1").sign(auth::good_claims())).result_int(), 401);
  EXPECT_THAT(worker.process().output(), Not(HasSubstr("said hello")));
  for (const char* reason :
       {"brings no token", "expired", "another audience", "another account", "signature is wrong"})
    worker.process().wait_for(reason);
  EXPECT_EQ(with("sub", "2"), 204);
  worker.process().wait_for("said hello");
}

TEST(PushAuth, KeysThatCannotBeFetchedDelayCallsAndNotHealthChecks) {
  const auth::TestKey key("k1");
  GuardedWorker worker("http://127.0.0.1:1/keys");
  EXPECT_EQ(worker.get("/healthz").result_int(), 200);
  EXPECT_EQ(worker.push("Bearer " + key.sign(auth::good_claims())).result_int(), 503);
  worker.process().wait_for("could not be fetched");
}

TEST(PushAuth, HalfOfTheSettingsIsNoProtection) {
  Process worker({CFD_TEST_WORKER, "--port", "0", "--push-auth-email", std::string(email)});
  EXPECT_EQ(worker.wait(), 2);
  EXPECT_THAT(worker.output(), HasSubstr("CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_AUDIENCE"));
}

TEST(PushAuth, TheLocalServersPushesAreVerifiedWithItsKeys) {
  if (Server::is_google()) GTEST_SKIP() << "Google's emulator signs no tokens";
  const TemporaryDirectory directory;
  Process server(
      {CFD_COMMAND, "emulator", "--port", "0", "--http-port", "0", "--ready-file", directory / "ready"});
  PubSub pubsub(wait_for_file(directory / "ready", server));
  constexpr std::string_view page = "REST and the page: http://";
  server.wait_for(page);
  const std::string output = server.output();
  const std::size_t from = output.find(page) + page.size();
  const std::string authority = output.substr(from, output.find('/', from) - from);
  GuardedWorker worker("http://127.0.0.1" + authority.substr(authority.rfind(':')) + "/oauth2/v3/certs");
  const auto deliver = [&](const std::string& name, std::string_view account, std::string_view to) {
    pubsub.create_topic(name);
    pubsub.create_signed_push(name, name, worker.url(), std::string(account), std::string(to));
    pubsub.publish(name, R"({"function":"t.say","args":["by )" + name + R"("]})");
  };
  deliver("the-right-one", email, audience);
  worker.process().wait_for("said by the-right-one");
  deliver("wrong-account", "other@example.com", audience);
  worker.process().wait_for("another account");
  deliver("wrong-audience", email, "https://other");
  worker.process().wait_for("another audience");
  pubsub.create_topic("no-token");
  pubsub.create_subscription("no-token", "no-token", worker.url());
  pubsub.publish("no-token", R"({"function":"t.say","args":["by nobody"]})");
  worker.process().wait_for("brings no token");
  EXPECT_EQ(count(worker.process().output(), "said by"), 1);
}

using SigningTest = Deployment;
INSTANTIATE_TEST_SUITE_P(By, SigningTest, testing::Values(Delivery::push, Delivery::pull), delivery_name);

constexpr const char* keys_variable = "CLOUD_FUNCTIONS_DISPATCH_SIGNING_KEYS";
const std::string old_key = "old:" + std::string(64, '1');
const std::string new_key = "new:" + std::string(64, '2');

TEST_P(SigningTest, SignedCallsAreExecutedThroughARotationAndNoOthers) {
  Process& worker = start_worker({{keys_variable, new_key + "," + old_key}});
  ASSERT_EQ(call("say", "with the old key", {{keys_variable, old_key}}), 0) << caller_output();
  worker.wait_for("said with the old key");
  ASSERT_EQ(call("say", "with the new key", {{keys_variable, new_key}}), 0) << caller_output();
  worker.wait_for("said with the new key");
  ASSERT_EQ(call("say", "unsigned"), 0) << caller_output();
  worker.wait_for("it is not signed");
  ASSERT_EQ(call("say", "forged", {{keys_variable, "new:" + std::string(64, '3')}}), 0) << caller_output();
  worker.wait_for("is wrong");
  EXPECT_THAT(worker.output(), Not(HasSubstr("said unsigned")));
  EXPECT_THAT(worker.output(), Not(HasSubstr("said forged")));
  EXPECT_THAT(worker.output(), Not(HasSubstr(std::string(64, '2')))) << "the log holds no secret";
  EXPECT_THAT(unacknowledged(2), SizeIs(2));
}

}  // namespace
}  // namespace cfd::integration

// What a worker tells those who watch it: its numbers, and the line with which it starts.
#include <string>
#include <string_view>

#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "integration/http.hpp"
#include "integration/process.hpp"

namespace cfd::integration {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// The first entry, a line of JSON, that has `text` in it.
json::object entry_with(Process& worker, std::string_view text) {
  worker.wait_for(text);
  const std::size_t lines_before = count(worker.output().substr(0, worker.output().find(text)), "\n");
  worker.wait_for("\n", lines_before + 1);
  const std::string output = worker.output();
  const std::size_t at = output.find(text);
  const std::size_t from = output.rfind('\n', at) + 1;  // of npos, 0
  return json::parse(output.substr(from, output.find('\n', at) - from)).as_object();
}

std::string message_of(const json::object& entry) {
  return std::string(entry.at("message").as_string());
}

class Observed : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  Process worker_{{CFD_TEST_WORKER, "--port", "0", "--metrics-port", "0", "--threads", "3", "--log-format",
                   "json", "--ready-file", directory_ / "ready"},
                  {{"CLOUD_FUNCTIONS_DISPATCH_QUEUE", "5"}, {"GCP_PROJECT", "my-project"}}};
  std::string port_ = wait_for_file(directory_ / "ready", worker_);
};

TEST_F(Observed, AWorkerStartsWithItsVersionFunctionsAndSettingsAndWhereTheyAreFrom) {
  Process asked({CFD_TEST_WORKER, "--version"});
  ASSERT_EQ(asked.wait(), 0);
  const std::string version = asked.output().substr(0, asked.output().find('\n'));
  ASSERT_THAT(version, StartsWith("cfd "));
  const json::object entry = entry_with(worker_, "; functions: ");
  EXPECT_EQ(entry.at("severity").as_string(), "INFO");
  EXPECT_THAT(message_of(entry),
              AllOf(StartsWith(version + " listening on 0.0.0.0:" + port_ + "; functions: "),
                    HasSubstr("t.say"), HasSubstr("CLOUD_FUNCTIONS_DISPATCH_EXIT_TIMEOUT=10s (default)"),
                    HasSubstr("CLOUD_FUNCTIONS_DISPATCH_QUEUE=5 (environment)"),
                    HasSubstr("CLOUD_FUNCTIONS_DISPATCH_THREADS=3 (flag)")));
}

TEST_F(Observed, ACallIsCountedAndItsEntriesNameItsTrace) {
  Request push = post(
      R"({"message":{"data":"eyJmdW5jdGlvbiI6InQuc2F5IiwiYXJncyI6WyJoZWxsbyJdfQ==","messageId":"7"},"subscription":"s"})");
  push.set("X-Cloud-Trace-Context", "105445AA7843BC8BF206B12000100000/1;o=1");
  push.set("traceparent", "malformed");
  ASSERT_EQ(answer_of(port_, push).result_int(), 204);
  const json::object said = entry_with(worker_, "said hello");
  EXPECT_EQ(said.at("logging.googleapis.com/trace").as_string(),
            "projects/my-project/traces/105445aa7843bc8bf206b12000100000");
  EXPECT_EQ(said.at("logging.googleapis.com/spanId").as_string(), "0000000000000001");
  const auto page = answer_of(metrics_port_of(worker_), Request(http::verb::get, "/metrics", 11));
  EXPECT_EQ(page.result_int(), 200);
  EXPECT_THAT(page.body(),
              AllOf(HasSubstr("cfd_executions_total{function=\"t.say\",outcome=\"executed\"} 1\n"),
                    HasSubstr("cfd_pool_threads 3\n")));
}

}  // namespace
}  // namespace cfd::integration

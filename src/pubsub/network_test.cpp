// What networks and services do to a connection that is in order otherwise: servers that say goodbye, names
// that move, TLS, and tokens that expire. Each call resolves, and what is confirmed has been received.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cfd/call.hpp>
#include <cfd/error.hpp>

#include "pubsub/dns_answerer.hpp"
#include "pubsub/publisher.hpp"
#include "pubsub/scripted_server.hpp"

namespace cfd::pubsub {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::SizeIs;
using testing::StartsWith;

constexpr Backoff quick{1ms, 20ms, 2};

transport::PublisherConfig config_for(const std::string& endpoint, bool insecure = true) {
  transport::PublisherConfig config;
  config.topic = "projects/p/topics/t";
  config.endpoint = endpoint;
  config.insecure = insecure;
  return config;
}

Call publish(transport::Publisher& publisher, const std::string& data) {
  auto state = std::make_shared<detail::CallState>("0123456789abcdef0123456789abcdef");
  publisher.publish({data, {}, {}}, state);
  return Call(state);
}

/// "OK", or the code a call failed with.
std::string outcome(const Call& call) {
  try {
    call.wait_for(120s);
    return "OK";
  } catch (const PublishError& e) {
    return e.code();
  }
}

std::set<std::string> received(std::initializer_list<const ScriptedServer*> servers) {
  std::set<std::string> all;
  for (const ScriptedServer* server : servers)
    for (std::string& data : server->accepted()) all.insert(std::move(data));
  return all;
}

TEST(Goodbye, AServerThatClosesEveryConnectionSoonLosesNothing) {
  // As Google's front ends do after an hour, this one sends GOAWAY after a twentieth of a second, and cuts
  // what is still under way as much later.
  ScriptedServer::Place place;
  place.max_connection_age_ms = 50;
  const ScriptedServer server({}, place);
  GrpcPublisher publisher(config_for(server.endpoint()), quick);
  std::vector<Call> calls;
  for (int i = 0; i < 20'000; ++i) {
    calls.push_back(publish(publisher, std::to_string(i)));
    if (i % 20 == 0) std::this_thread::sleep_for(1ms);  // a second: some twenty connections
  }
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "OK");
  EXPECT_THAT(received({&server}), SizeIs(calls.size()));
}

TEST(Names, ANameThatMovesIsFollowed) {
  ScriptedServer::Place place;
  place.host = "127.0.0.1";
  ScriptedServer first({}, place);
  place.host = "127.0.0.2";
  place.port = first.port();
  const ScriptedServer second({}, place);
  DnsAnswerer names("127.0.0.1");
  GrpcPublisher publisher(config_for("dns://127.0.0.1:" + std::to_string(names.port()) +
                                     "/pubsub.test:" + std::to_string(first.port())),
                          quick);
  std::vector<Call> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(publish(publisher, std::to_string(i)));
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "OK");
  EXPECT_THAT(second.accepted(), SizeIs(0));
  names.set("127.0.0.2");
  first.stop();
  for (int i = 100; i < 200; ++i) calls.push_back(publish(publisher, std::to_string(i)));
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "OK");
  EXPECT_THAT(received({&first, &second}), SizeIs(200));
  EXPECT_GE(names.questions(), 2);
}

template <auto Free>
struct With {
  template <class T>
  void operator()(T* owned) const {
    Free(owned);
  }
};

std::string pem(auto write) {
  const std::unique_ptr<BIO, With<BIO_free_all>> out(BIO_new(BIO_s_mem()));
  write(out.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// A key, and a certificate for localhost that the key's owner has signed.
struct Identity {
  Identity() {
    const std::unique_ptr<EVP_PKEY, With<EVP_PKEY_free>> pair(EVP_RSA_gen(2048));
    const std::unique_ptr<X509, With<X509_free>> made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), pair.get());
    X509_NAME* const name = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1,
                               -1, 0);
    X509_set_issuer_name(made.get(), name);
    const std::unique_ptr<X509_EXTENSION, With<X509_EXTENSION_free>> names(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost"));
    X509_add_ext(made.get(), names.get(), -1);
    X509_sign(made.get(), pair.get(), EVP_sha256());
    key = pem(
        [&](BIO* out) { PEM_write_bio_PrivateKey(out, pair.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    certificate = pem([&](BIO* out) { PEM_write_bio_X509(out, made.get()); });
  }

  std::string key;
  std::string certificate;
};

/// A program that finds a service account's key where Application Default Credentials are looked for, and
/// trusts one certificate.
class Tls : public testing::Test {
 protected:
  void SetUp() override {
    write("roots.pem", server_identity().certificate);
    std::string key = service_account_.key;
    for (std::size_t at = 0; (at = key.find('\n', at)) != std::string::npos; at += 2)
      key.replace(at, 1, "\\n");
    write("account.json",
          R"({"type":"service_account","client_id":"1","client_email":"me@p.iam.gserviceaccount.com",)"
          R"("private_key_id":"k1","private_key":")" +
              key + R"("})");
    setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", path("roots.pem").c_str(), 1);
    setenv("GOOGLE_APPLICATION_CREDENTIALS", path("account.json").c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  ScriptedServer::Place place(const Identity& identity) const {
    ScriptedServer::Place place;
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({identity.key, identity.certificate});
    place.credentials = grpc::SslServerCredentials(options);
    return place;
  }

  /// One for all tests of a process: gRPC reads the roots once.
  static const Identity& server_identity() {
    static const Identity identity;
    return identity;
  }

 private:
  std::string path(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(directory_);
    std::ofstream(path(name)) << text;
  }

  const Identity service_account_;
  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("cfd-tls-" + std::to_string(getpid()));
};

TEST_F(Tls, CallsGoOverItWithATokenOfTheServiceAccount) {
  const ScriptedServer server({}, place(server_identity()));
  GrpcPublisher publisher(config_for(server.endpoint(), false), quick);
  EXPECT_EQ(outcome(publish(publisher, "1")), "OK");
  EXPECT_EQ(outcome(publish(publisher, "2")), "OK");
  EXPECT_THAT(server.authorizations(), testing::AllOf(SizeIs(2), Each(StartsWith("Bearer eyJ"))));
}

TEST_F(Tls, AServerOfAnotherIdentityGetsNothing) {
  const ScriptedServer server({}, place(Identity()));
  auto config = config_for(server.endpoint(), false);
  config.publish_timeout = 1s;
  GrpcPublisher publisher(config, quick);
  const Call call = publish(publisher, "1");
  try {
    call.wait_for(60s);
    FAIL() << "confirmed";
  } catch (const PublishError& e) {
    EXPECT_EQ(e.code(), "DEADLINE_EXCEEDED");
    EXPECT_THAT(e.what(), testing::HasSubstr("UNAVAILABLE")) << "the reason";
  }
  EXPECT_THAT(server.requests(), SizeIs(0));
}

TEST_F(Tls, ATokenThatExpiresIsOutlived) {
  std::atomic<int> requests = 0;
  const ScriptedServer server(
      [&](const auto&) {
        const int number = ++requests;
        return number > 3 && number <= 8 ? grpc::Status(grpc::UNAUTHENTICATED, "the token has expired")
                                         : grpc::Status::OK;
      },
      place(server_identity()));
  GrpcPublisher publisher(config_for(server.endpoint(), false), quick);
  EXPECT_EQ(outcome(publish(publisher, "first")), "OK");
  std::vector<Call> calls;
  for (int i = 0; i < 50'000; ++i) calls.push_back(publish(publisher, std::to_string(i)));
  for (const Call& call : calls) ASSERT_EQ(outcome(call), "OK");
  EXPECT_GT(requests, 8);
  EXPECT_THAT(received({&server}), SizeIs(calls.size() + 1));
}

TEST_F(Tls, CredentialsThatWereNeverGoodAreReportedAtOnce) {
  const ScriptedServer server([](const auto&) { return grpc::Status(grpc::UNAUTHENTICATED, "who are you?"); },
                              place(server_identity()));
  GrpcPublisher publisher(config_for(server.endpoint(), false), quick);
  EXPECT_EQ(outcome(publish(publisher, "1")), "UNAUTHENTICATED");
  EXPECT_THAT(server.requests(), SizeIs(1));
}

}  // namespace
}  // namespace cfd::pubsub

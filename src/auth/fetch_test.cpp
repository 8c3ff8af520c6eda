// Documents from files, and from real servers that prove or do not prove who they are.
#include "auth/fetch.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "auth/openssl.hpp"

namespace cfd::auth {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Tcp = asio::ip::tcp;
using ::testing::HasSubstr;

std::filesystem::path temporary(std::string_view name) {
  return std::filesystem::temp_directory_path() / fmt::format("cfd-{}-{}", name, getpid());
}

// Writes a certificate that its owner has signed itself, for `host`, and its key, into one file.
void write_certificate(const std::filesystem::path& path, const std::string& host) {
  const KeyPtr key(EVP_RSA_gen(2048), EVP_PKEY_free);
  const std::unique_ptr<X509, Free<X509_free>> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str()));
  X509_add_ext(certificate.get(), names.get(), -1);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  std::FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate.get());
  PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

// Answers one connection.
class Server {
 public:
  Server(const std::filesystem::path& certificate, std::string answer)
      : tls_(asio::ssl::context::tls_server), answer_(std::move(answer)) {
    tls_.use_certificate_file(certificate, asio::ssl::context::pem);
    tls_.use_private_key_file(certificate, asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    boost::system::error_code ignored;
    Tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);  // where nobody came
    thread_.join();
  }
  std::string url() const {
    return fmt::format("https://localhost:{}/keys", acceptor_.local_endpoint().port());
  }

 private:
  void serve() {
    boost::system::error_code error;
    asio::ssl::stream<Tcp::socket> stream(acceptor_.accept(), tls_);
    stream.handshake(asio::ssl::stream_base::server, error);
    if (error) return;
    std::array<char, 4096> request{};
    stream.read_some(asio::buffer(request), error);
    asio::write(stream, asio::buffer(answer_), error);
    stream.shutdown(error);
  }

  asio::io_context io_;
  asio::ssl::context tls_;
  Tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::string answer_;
  std::thread thread_;
};

class FetchTest : public ::testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove(path_);
  }
  Fetched fetch_from(const std::string& host, bool trusted, const std::string& answer) {
    write_certificate(path_, host);
    ::setenv("SSL_CERT_FILE", trusted ? path_.c_str() : "/dev/null", 1);
    const Server server(path_, answer);
    return fetch(server.url(), {});
  }
  static std::string ok(const std::string& body) {
    return fmt::format(
        "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=1234, must-revalidate\r\nContent-Length: "
        "{}\r\n\r\n{}",
        body.size(), body);
  }

  const std::filesystem::path path_ = temporary("fetch");
};

TEST_F(FetchTest, AServerWithATrustedCertificateIsBelieved) {
  const Fetched fetched = fetch_from("localhost", true, ok("keys"));
  EXPECT_EQ(fetched.error, "");
  EXPECT_EQ(fetched.body, "keys");
  EXPECT_EQ(fetched.max_age, 1234s);
}

TEST_F(FetchTest, AServerWithACertificateOfItsOwnIsNot) {
  EXPECT_THAT(fetch_from("localhost", false, ok("keys")).error, HasSubstr("certificate"));
}

TEST_F(FetchTest, NorIsAServerWithAnothersCertificate) {
  EXPECT_THAT(fetch_from("other.example", true, ok("keys")).error, HasSubstr("certificate"));
}

TEST_F(FetchTest, AnythingButAnAnswerOfStatus200IsAnError) {
  EXPECT_THAT(fetch_from("localhost", true,
                         "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n")
                  .error,
              HasSubstr("302"));
  EXPECT_NE(fetch_from("localhost", true, "no HTTP").error, "");
  EXPECT_NE(fetch_from("localhost", true, ok(std::string((1U << 20U) + 1, 'x'))).error, "");
}

TEST_F(FetchTest, AFileIsRead) {
  std::ofstream(path_) << "content";
  EXPECT_EQ(fetch("file:" + path_.string(), {}).body, "content");
  EXPECT_EQ(fetch("file://" + path_.string(), {}).body, "content");
  std::filesystem::remove(path_);
  EXPECT_NE(fetch("file:" + path_.string(), {}).error, "");
}

TEST_F(FetchTest, NobodyThereIsAnError) {
  EXPECT_THAT(fetch("http://127.0.0.1:1/keys", {}).error, HasSubstr("connecting"));
  EXPECT_THAT(fetch("ftp://x", {}).error, HasSubstr("no URL"));
}

TEST_F(FetchTest, AStopEndsAFetchFromAServerThatSaysNothing) {
  asio::io_context io;
  const Tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_NE(
      fetch(fmt::format("http://127.0.0.1:{}/", silent.local_endpoint().port()), stop.get_token()).error, "");
}

}  // namespace
}  // namespace cfd::auth

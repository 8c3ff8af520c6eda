#include "emulator/push.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/http_client.hpp"
#include "emulator/push_request.hpp"

namespace cfd::emulator {

namespace {

namespace asio = boost::asio;

constexpr std::size_t largest_window = 1'000;
constexpr std::chrono::milliseconds shortest_pause{100};
constexpr std::chrono::seconds longest_pause{60};
constexpr std::array acknowledging{102, 200, 201, 202, 204};

/// A lease outlasts the request made under it, so that each failure is counted once.
constexpr std::chrono::seconds lease_margin{5};

}  // namespace

/// Pushes the messages of one subscription. All but the wake-up happens on the dispatcher's thread.
class PushDispatcher::Pusher : public std::enable_shared_from_this<Pusher> {
 public:
  /// Who a push says it is from, and to whom; without an account, no token is sent.
  struct Identity {
    std::string service_account_email, audience;
  };

  Pusher(asio::io_context& context, OidcSigner& signer, Identity identity, PushForm form, Url url,
         SubscriptionPtr queue)
      : context_(context),
        signer_(signer),
        identity_(std::move(identity)),
        form_(std::move(form)),
        queue_(std::move(queue)),
        client_(std::make_unique<HttpClient>(context, std::move(url))),
        pause_timer_(context) {}

  void start() {
    const auto weak = weak_from_this();
    consumer_ = queue_->add_consumer(
        [weak] {
          const auto self = weak.lock();
          if (self == nullptr) return;
          asio::post(self->context_, [weak] {
            if (const auto awake = weak.lock()) awake->pump();
          });
        },
        0, 0);
    consumer_->one_per_key = true;  // An endpoint handles requests at once and in no order.
    pump();
  }

  /// Gives back at once what was under way: whoever pushes next need not wait for the deadline.
  void stop() {
    stopped_ = true;
    pause_timer_.cancel();
    client_.reset();
    queue_->remove_consumer(consumer_);
    const std::vector<Duration> now(in_flight_.size(), Duration::zero());
    queue_->modify_deadline(in_flight_, now);
  }

 private:
  void pump() {
    while (!stopped_ && !paused_ && in_flight_.size() < window_) {
      const Duration deadline = queue_->settings().ack_deadline;
      auto deliveries =
          queue_->take(consumer_, window_ - in_flight_.size(), 1U << 20U, deadline + lease_margin);
      if (deliveries.empty()) return;
      for (const auto& delivery : deliveries) push(delivery, deadline);
    }
  }

  void push(const Delivery& delivery, Duration deadline) {
    in_flight_.push_back(delivery.token);
    auto request = make_push_request(form_, delivery);
    if (!identity_.service_account_email.empty()) {
      request.headers.emplace_back(
          "Authorization", "Bearer " + signer_.token(identity_.service_account_email, identity_.audience));
    }
    client_->post(std::move(request), deadline,
                  [weak = weak_from_this(), token = delivery.token,
                   id = delivery.message.id()](const HttpResult& result) {
                    if (const auto self = weak.lock()) self->finish(token, id, result);
                  });
  }

  void finish(const AckToken& token, std::uint64_t message, const HttpResult& result) {
    if (stopped_) return;
    std::erase_if(in_flight_, [&](const AckToken& other) {
      return other.slot == token.slot && other.generation == token.generation;
    });
    const std::array tokens{token};
    if (std::ranges::find(acknowledging, result.status) != acknowledging.end()) {
      failures_ = 0;
      window_ = std::min(window_ * 2, largest_window);
      queue_->acknowledge(tokens);
    } else {
      window_ = std::max<std::size_t>(window_ / 2, 1);
      pause();
      queue_->note_refused_push(message, result.status);
      queue_->modify_deadline(tokens, std::array{Duration::zero()});
    }
    pump();
  }

  /// Holds the whole subscription back after a failure, longer with each one in a row. Requests that were
  /// under way together fail for one reason, and count as one: else an endpoint that restarts would be left
  /// alone for a minute.
  void pause() {
    if (paused_) return;
    failures_ = std::min(failures_ + 1, 16U);
    paused_ = true;
    pause_timer_.expires_after(
        std::min<std::chrono::milliseconds>(shortest_pause * (1U << (failures_ - 1)), longest_pause));
    pause_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || self == nullptr) return;
      self->paused_ = false;
      self->pump();
    });
  }

  asio::io_context& context_;
  OidcSigner& signer_;
  const Identity identity_;
  const PushForm form_;
  const SubscriptionPtr queue_;
  ConsumerPtr consumer_;
  std::unique_ptr<HttpClient> client_;
  asio::steady_timer pause_timer_;
  std::vector<AckToken> in_flight_;
  std::size_t window_ = 1;
  unsigned failures_ = 0;
  bool paused_ = false;
  bool stopped_ = false;
};

struct PushDispatcher::Impl {
  explicit Impl(OidcSigner& oidc) : signer(oidc) {}

  OidcSigner& signer;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::map<std::string, std::shared_ptr<Pusher>> pushers;
  std::thread thread;

  void replace(const std::string& subscription, std::shared_ptr<Pusher> pusher) {
    if (const auto found = pushers.find(subscription); found != pushers.end()) {
      found->second->stop();
      pushers.erase(found);
    }
    if (pusher == nullptr) return;
    pushers.emplace(subscription, pusher);
    pusher->start();
  }
};

PushDispatcher::PushDispatcher(OidcSigner& signer) : impl_(std::make_unique<Impl>(signer)) {}

PushDispatcher::~PushDispatcher() {
  stop();
}

void PushDispatcher::configure(const v1::Subscription& subscription, const SubscriptionPtr& queue) {
  std::shared_ptr<Pusher> pusher;
  const auto& config = subscription.push_config();
  if (auto url = parse_url(config.push_endpoint()); url && !subscription.detached()) {
    PushForm form{subscription.name(), !config.has_no_wrapper(), config.no_wrapper().write_metadata()};
    Pusher::Identity identity{config.oidc_token().service_account_email(), config.oidc_token().audience()};
    if (identity.audience.empty()) identity.audience = config.push_endpoint();
    pusher = std::make_shared<Pusher>(impl_->context, impl_->signer, std::move(identity), std::move(form),
                                      std::move(*url), queue);
  }
  asio::post(impl_->context, [this, name = subscription.name(), pusher] { impl_->replace(name, pusher); });
}

void PushDispatcher::remove(const std::string& subscription) {
  asio::post(impl_->context, [this, subscription] { impl_->replace(subscription, nullptr); });
}

void PushDispatcher::start() {
  impl_->thread = std::thread([this] { impl_->context.run(); });
}

void PushDispatcher::stop() {
  if (impl_->thread.joinable()) {
    asio::post(impl_->context, [this] {
      for (const auto& [name, pusher] : impl_->pushers) pusher->stop();
      impl_->pushers.clear();
      impl_->work.reset();
      impl_->context.stop();
    });
    impl_->thread.join();
  }
}

}  // namespace cfd::emulator

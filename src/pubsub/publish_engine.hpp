#pragma once

/// \file
/// The moving parts of GrpcPublisher: the queue under its lock (publish_admission.cpp), the requests under
/// way and the thread that waits for their ends (publish_engine.cpp), and what becomes of them
/// (publish_outcome.cpp).

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include "pubsub/publisher.hpp"

namespace cfd::pubsub {

class GrpcPublisher::Engine {
 public:
  Engine(transport::PublisherConfig config, Backoff backoff);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  static constexpr const char* closed_early = "the publisher was closed before the call was confirmed: ";

  void publish(const transport::Outgoing& message, detail::CallStatePtr call);
  std::size_t flush(Clock::time_point deadline);
  std::size_t close(Clock::time_point deadline);
  void resume(std::string_view ordering_key);
  void resume_all();

 private:
  struct Request;
  enum class Phase : std::uint8_t { open, closing, aborting };

  // On the calling thread.
  bool has_room(std::size_t bytes) const noexcept;
  bool wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t bytes, const detail::CallStatePtr& call);
  void refuse(const detail::CallStatePtr& call, std::string_view ordering_key,
              std::unique_lock<std::mutex>& lock);
  void drop(const detail::CallStatePtr& call, std::unique_lock<std::mutex>& lock);

  // On either.
  bool on_own_thread() const noexcept { return thread_.get_id() == std::this_thread::get_id(); }
  void send(BatchPtr batch);

  // On the engine's own thread.
  void run();
  bool connect();
  void wait(std::chrono::milliseconds at_most);
  void keep_house(Clock::time_point now);
  void pump(Clock::time_point now);
  void ended(std::unique_ptr<Request> request);
  void confirmed(BatchPtr batch, Request& request);
  void failed(BatchPtr batch, std::string_view code, const std::string& text);
  void split_and_requeue(BatchPtr batch);

  void give_up(std::vector<BatchPtr> batches, std::string_view code, std::string_view text);
  void resolved(const Batch& batch);
  void note_trouble();

  const transport::PublisherConfig config_;
  const Backoff backoff_;

  std::mutex mutex_;
  std::condition_variable room_;  ///< a message was resolved, or the phase changed
  PublishQueue queue_;            ///< guarded by mutex_, as all that follows
  std::unordered_set<Request*> requests_;
  Phase phase_ = Phase::open;
  bool connected_ = false;
  bool said_all_keys_stopped_ = false;
  std::size_t dropped_ = 0;
  std::size_t cancelled_ = 0;

  // Of the engine's own thread.
  bool in_trouble_ = false;
  bool accepted_ = false;  ///< once, at least: credentials refused later have expired, and are renewed
  bool was_ready_ = false;
  std::string last_failure_;  ///< one line, of any request
  Clock::time_point next_expiry_{};
  Clock::time_point next_connect_{};
  std::vector<std::string_view> ids_;

  std::shared_ptr<grpc::Channel> channel_;  ///< set once, before connected_
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue completions_;
  grpc::Alarm wake_up_;  ///< ends the wait of the engine's own thread at close()
  std::thread thread_;
};

}  // namespace cfd::pubsub

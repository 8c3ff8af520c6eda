#pragma once

/// \file
/// The moving parts of GrpcSubscriber: the thread that drives the stream (pull_engine.cpp), the stream itself
/// (pull_stream.cpp), the threads that run handlers (pull_handlers.cpp) and the end (pull_farewell.cpp).

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>

#include "pubsub/deliveries.hpp"
#include "pubsub/subscriber.hpp"

namespace cfd::pubsub {

/// So many acknowledgements are sent without waiting for more.
constexpr std::size_t full_ack_batch = 100;

class PullEngine {
 public:
  PullEngine(const transport::SubscriberConfig& config, const Backoff& backoff, const PullTimes& times,
             std::stop_token stop, const transport::Subscriber::Handler& handler);
  PullEngine(const PullEngine&) = delete;
  PullEngine& operator=(const PullEngine&) = delete;
  ~PullEngine();

  /// Drives the stream until the end; see transport::Subscriber::run.
  std::string run();

 private:
  /// What a completion tells, as its tag.
  enum class Event : std::uintptr_t { opened = 1, read, written, half_closed, ended, woken };

  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> io;
    grpc::ByteBuffer read;
    grpc::Status status;
    AckQueue::Piece in_write;
    Clock::time_point busy_since;  ///< of the opening or the write under way
    Clock::time_point last_write;
    Clock::time_point last_read;
    bool started =
        false;  ///< the opening has come to its end, well or not; nothing is read or written before
    bool open = false;
    bool reading = false;
    bool writing = false;
    bool broken = false;    ///< no more reads
    bool ending = false;    ///< Finish was called
    bool given_up = false;  ///< cancelled by us
  };

  // On the handler threads.
  void handle_messages();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  bool finish(const Work& work, const transport::Disposition& disposition);

  // On the thread of run(); `lock` is held where it is passed.
  bool step();
  void open_stream();
  void wait(std::chrono::milliseconds at_most);
  void on(Event event, bool ok);
  void on_read(bool ok);
  void on_ended();
  void read_more();
  void keep_house(Clock::time_point now);
  void watch(Clock::time_point now);
  void stop_lost_functions();
  void begin_stop();
  void say_goodbye();
  void send_rest_unary();
  bool unary(const char* method, const std::string& request, Clock::time_point deadline);
  void wait_for_stream_end(Clock::time_point deadline);

  // On any, with the lock held.
  void wake_handler();
  bool may_write() const noexcept;
  void write(std::unique_lock<std::mutex>& lock);
  void mark_writing();
  void write_bytes(const std::string& bytes);

  const transport::SubscriberConfig& config_;
  const Backoff& backoff_;
  const PullTimes& times_;
  const std::stop_token stop_;
  const transport::Subscriber::Handler& handler_;

  std::mutex mutex_;
  std::condition_variable work_;
  Deliveries deliveries_;  ///< guarded by mutex_, as all that follows
  std::unique_ptr<Stream> stream_;
  bool stopping_ = false;
  bool finished_ = false;  ///< the handler threads may go
  std::size_t idle_ = 0;   ///< handler threads that wait for work
  bool waking_ = false;    ///< one of them has been notified and has not come yet

  // Of run()'s own thread.
  std::string reason_;  ///< why the service ended it for good
  int failures_ = 0;
  Clock::time_point open_at_{};
  Clock::time_point extend_at_{};
  std::string client_id_;

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue completions_;
  grpc::Alarm wake_up_;
  std::vector<std::thread> threads_;
};

}  // namespace cfd::pubsub

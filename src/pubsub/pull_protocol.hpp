#pragma once

/// \file
/// StreamingPull's messages in their wire form.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <cfd/event.hpp>

#include "transport/transport.hpp"

namespace cfd::pubsub {

using transport::Clock;

struct PullResponse;

/// One message that was delivered. Its views point into its PullResponse.
struct Delivery {
  std::string_view ack_id;
  std::string_view data;
  std::string_view message_id;
  std::string_view ordering_key;
  std::int64_t published_seconds = 0;
  std::int32_t published_nanos = 0;
  std::int32_t attempt = 0;
  std::size_t first_attribute = 0;  ///< in PullResponse::attributes
  std::size_t attribute_count = 0;
  std::size_t bytes = 0;

  enum class State : std::uint8_t { unconfirmed, waiting, running, done } state = State::waiting;
  Clock::time_point extend_at;       ///< when its lease is to be extended
  Clock::time_point leased_until;    ///< as far as we know
  std::stop_source* stop = nullptr;  ///< of the function that it runs in
  bool let_go = false;               ///< its lease is extended no more
  bool lost = false;                 ///< its lease ended while its function ran
};

/// Ids that a confirmation of exactly-once delivery names.
struct Confirmation {
  std::vector<std::string_view> confirmed;
  std::vector<std::string_view> invalid;
  std::vector<std::string_view> failed_for_now;
};

struct PullResponse {
  std::string bytes;
  std::vector<Attribute> attributes;
  std::vector<Delivery> deliveries;
  std::optional<Confirmation> acknowledged;
  std::optional<Confirmation> extended;
  std::optional<bool> exactly_once;
  std::optional<bool> ordered;

  std::size_t held = 0;                                      ///< deliveries that are not done
  std::list<std::shared_ptr<PullResponse>>::iterator place;  ///< in the list of those with something held
};

/// Reads a StreamingPullResponse; null where it is malformed.
std::shared_ptr<PullResponse> parse_pull_response(std::string bytes);

/// The first request of a stream.
struct PullStart {
  std::string_view subscription;
  std::string_view client_id;
  std::chrono::seconds ack_deadline;
  std::size_t max_messages;
  std::size_t max_bytes;
};
std::string encode(const PullStart& start);

/// Acknowledgements and new deadlines on their way out, in pieces below the service's limit of 512 KB a
/// request.
class AckQueue {
 public:
  struct Piece {
    std::string acks;       ///< field 2 of both StreamingPullRequest and AcknowledgeRequest
    std::string deadlines;  ///< seconds, as varints
    std::string ids;        ///< field 4 of both StreamingPullRequest and ModifyAckDeadlineRequest
    std::size_t count = 0;

    /// As a StreamingPullRequest.
    std::string encode() const;
  };

  void acknowledge(std::string_view ack_id);

  /// Zero gives the message back at once.
  void set_deadline(std::string_view ack_id, std::chrono::seconds deadline);

  bool empty() const noexcept { return pieces_.empty(); }
  std::size_t count() const noexcept { return count_; }

  /// The oldest piece; the queue is not empty.
  Piece take();

  /// Puts back what could not be sent.
  void put_back(Piece piece);

 private:
  Piece& with_room();

  std::deque<Piece> pieces_;
  std::size_t count_ = 0;
};

/// The ids in a Piece's `acks` or `ids`.
std::vector<std::string_view> ids_of(std::string_view fields);

/// Requests of the unary calls that stand in for the stream at the end.
std::string encode_acknowledge(std::string_view subscription, std::string_view acks);
std::vector<std::string> encode_modify(std::string_view subscription, const AckQueue::Piece& piece);

}  // namespace cfd::pubsub

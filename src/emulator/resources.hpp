#pragma once

/// \file
/// The broker's records, for its own source files.

#include <algorithm>
#include <memory>
#include <string>

#include <google/protobuf/empty.pb.h>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "emulator/broker.hpp"

namespace cfd::emulator {

struct Broker::TopicResource {
  v1::Topic config;
  std::uint32_t uid = 0;  ///< the store's holder of what the topic keeps for a seek
  std::shared_ptr<Topic> topic;
};

struct Broker::SubscriptionResource {
  v1::Subscription config;
  std::shared_ptr<Topic> topic;  ///< null once the topic is deleted or the subscription detached
  SubscriptionPtr queue;
};

struct Broker::SnapshotResource {
  v1::Snapshot config;
  std::uint32_t uid = 0;
  std::shared_ptr<Topic> topic;
  std::shared_ptr<SnapshotState> state;
};

/// The store's holder of what subscription `uid` has acknowledged and keeps for a seek.
inline constexpr std::uint32_t acknowledged_of(std::uint32_t uid) noexcept {
  return uid | 0x80000000U;
}

/// Fills one page of a list: the entries of `map`, in order of name, that `wanted` accepts, after
/// `page_token`. A token is the last name of the page before.
template <typename Map, typename Wanted, typename Add, typename Response>
Status list_page(const Map& map, std::int32_t page_size, const std::string& page_token, Wanted wanted,
                 Add add, Response& response) {
  constexpr std::int32_t largest_page = 1000;
  if (page_size < 0) return invalid_argument("page_size is negative");
  const auto limit = page_size == 0 ? largest_page : std::min(page_size, largest_page);
  std::int32_t count = 0;
  std::string last;
  for (auto at = page_token.empty() ? map.begin() : map.upper_bound(page_token); at != map.end(); ++at) {
    if (!wanted(at->first, *at->second)) continue;
    if (count == limit) {
      response.set_next_page_token(last);
      return {};
    }
    add(at->first, *at->second);
    last = at->first;
    ++count;
  }
  return {};
}

}  // namespace cfd::emulator

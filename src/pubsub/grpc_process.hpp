#pragma once

namespace cfd::pubsub {

/// Notes that this process uses gRPC. Throws PublishError, saying what to do instead, in the child of a
/// process that has used it before the fork: gRPC's threads do not exist here, and every call would wait for
/// its deadline.
void claim_grpc();

}  // namespace cfd::pubsub

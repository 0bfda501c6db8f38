#pragma once

#include <grpcpp/grpcpp.h>

#include "gateway/completion.h"
#include "gateway/shard.h"
#include "upstream/loop/cancellation.h"

namespace idv {

// What every call needs from before it is asked for until all its tags are back, whatever its kind.
// To serve one: make this, ask for a call with operation.tag(), await `operation`; if that is false
// the server shuts down and no other tag will come, else start whatever the call takes on
// `operation`, the last thing being its finish, and await `done`.
struct IncomingCall {
  explicit IncomingCall(Shard& shard) : presence(shard) { context.AsyncNotifyWhenDone(done.tag()); }

  const Shard::Presence presence;
  grpc::ServerContext context;
  // Fires when the caller gives up.
  Cancellation cancellation;
  CallDone done{context, cancellation};
  Operation operation;
};

}  // namespace idv

#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "upstream/route.h"

namespace idv::fuzz {

// What is wrong with the request that `route` made of `message`, whatever the upstream; empty if
// nothing. Target, headers and body are looked at; the body is read to its end.
std::string CheckRest(const Route& route, const google::protobuf::Message& message,
                      const RestRequest& request);

// The whole of a body, read in pieces of many sizes. Empty, too, when it does not keep the contract
// of RequestBody.
std::string ReadBody(RequestBody& body);

}  // namespace idv::fuzz

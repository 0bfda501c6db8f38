#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/upstream/stub_server.h"

namespace idv {

// What a collector was sent, by the protos that come with the library.
inline nlohmann::json Decoded(const std::string& body) {
  const auto* const type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest");
  const std::unique_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  EXPECT_TRUE(request->ParseFromString(body));
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(*request, &text).ok());
  return nlohmann::json::parse(text);
}

inline nlohmann::json SpansIn(const std::string& body) {
  return Decoded(body).at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans");
}

inline size_t SpansAt(const StubServer& collector) {
  size_t count = 0;
  for (const StubServer::Request& request : collector.requests()) {
    count += SpansIn(request.body).size();
  }
  return count;
}

// By name; of each value what stands beside its type.
inline nlohmann::json AttributesOf(const nlohmann::json& object) {
  nlohmann::json attributes;
  for (const nlohmann::json& attribute : object.at("attributes")) {
    attributes[attribute.at("key").get<std::string>()] = attribute.at("value").front();
  }
  return attributes;
}

}  // namespace idv

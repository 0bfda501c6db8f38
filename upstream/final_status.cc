#include "upstream/final_status.h"

#include <google/protobuf/message.h>

#include <memory>

#include "kora/idv/gateway/v1/annotations.pb.h"

namespace idv {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool HasFinalStatus(const google::protobuf::Descriptor& type, const std::string& wire) {
  const Message* const prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  const std::unique_ptr<Message> message(prototype->New());
  if (!message->ParseFromString(wire)) return false;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM || field.is_repeated()) continue;
    const auto& value = *message->GetReflection()->GetEnum(*message, &field);
    if (value.options().GetExtension(kora::idv::gateway::v1::enum_value).is_final()) return true;
  }
  return false;
}

}  // namespace idv

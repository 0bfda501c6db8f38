#include "tests/chaos/random_calls.h"

#include <algorithm>

#include "tests/chaos/messages.h"

namespace idv::chaos {
namespace {

using google::protobuf::FieldDescriptor;
using std::chrono::milliseconds;

// Over what the gateway is configured to take.
constexpr size_t kMaxImageBytes = size_t{4} << 20;
constexpr size_t kMaxMillisToCancel = 500;

}  // namespace

RandomCalls::RandomCalls(uint64_t seed, const std::vector<Rpc>& rpcs)
    : random_(seed), rpcs_(rpcs), run_(std::to_string(seed)) {}

RandomCall RandomCalls::Next(const Subjects& subjects) {
  RandomCall call;
  call.rpc = random_.Below(rpcs_.size());
  // What a verification takes once only is rare, so that most of them still take pictures.
  while (rpcs_[call.rpc].method->name() == "CompleteVerification" && !random_.Chance(0.1)) {
    call.rpc = random_.Below(rpcs_.size());
  }
  call.request = Request(rpcs_[call.rpc], subjects);
  call.timeout = Timeout();
  if (random_.Chance(0.15)) {
    const auto most = static_cast<size_t>(call.timeout.count());
    call.cancel_after = milliseconds(random_.Below(std::min(most, kMaxMillisToCancel)));
  }
  return call;
}

grpc::ByteBuffer RandomCalls::Request(const Rpc& rpc, const Subjects& subjects) {
  if (random_.Chance(0.01)) {
    const grpc::Slice no_message("\xff\xff");
    return {&no_message, 1};
  }
  const auto message = rpc.NewRequest();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const bool forgotten = random_.Chance(0.02);
    if (!forgotten) Fill(*message->GetDescriptor()->field(i), subjects, *message);
  }
  return ToByteBuffer(*message);
}

void RandomCalls::Fill(const FieldDescriptor& field, const Subjects& subjects,
                       google::protobuf::Message& message) {
  const auto& reflection = *message.GetReflection();
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    reflection.SetString(&message, &field, std::string(random_.Spread(1, kMaxImageBytes), 'x'));
  } else if (field.type() == FieldDescriptor::TYPE_STRING) {
    const std::string text = Text(field.name(), subjects);
    if (!text.empty()) reflection.SetString(&message, &field, text);
  } else if (field.type() == FieldDescriptor::TYPE_ENUM) {
    const auto values = static_cast<size_t>(field.enum_type()->value_count());
    const int chosen = 1 + static_cast<int>(random_.Below(values - 1));
    reflection.SetEnum(&message, &field, field.enum_type()->value(chosen));
  }
}

// Empty for what a request does without.
std::string RandomCalls::Text(const std::string& field, const Subjects& subjects) {
  if (random_.Chance(0.02)) return "not-there";
  if (field == "verification_id") return random_.Pick(subjects.verification_ids);
  if (field == "subject_id") return random_.Pick(subjects.external_ids);
  if (field == "alert_id") return random_.Pick(subjects.alert_ids);
  if (field == "external_id") return "storm-" + std::to_string(++created_) + "-" + run_;
  if (field == "document_type") return "ghana_card";
  if (field == "image_type") return "document_front";
  if (field == "reviewer_id") return "reviewer-1";
  if (field == "country") return "GH";
  return "";
}

milliseconds RandomCalls::Timeout() {
  switch (random_.Below(4)) {
    case 0:
      return milliseconds(random_.Spread(10, 200));
    case 1:
      return milliseconds(random_.Spread(1000, 5000));
    default:
      return milliseconds(random_.Spread(100, 1000));
  }
}

}  // namespace idv::chaos

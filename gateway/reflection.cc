#include "gateway/reflection.h"

#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <set>
#include <utility>

#include "gateway/incoming_call.h"

namespace idv {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

// The file and all it imports, each once.
void AddFiles(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
              ServerReflectionResponse& response) {
  if (!seen.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddFiles(*file.dependency(i), seen, response);
  }
}

void AnswerNotFound(ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("this server has nothing of that name");
}

void AnswerFile(const FileDescriptor* file, ServerReflectionResponse& response) {
  if (file == nullptr) return AnswerNotFound(response);
  std::set<const FileDescriptor*> seen;
  AddFiles(*file, seen, response);
}

void AnswerExtension(const grpc::reflection::v1::ExtensionRequest& request,
                     ServerReflectionResponse& response) {
  const auto* const type = Pool().FindMessageTypeByName(request.containing_type());
  const FieldDescriptor* const extension =
      type == nullptr ? nullptr : Pool().FindExtensionByNumber(type, request.extension_number());
  AnswerFile(extension == nullptr ? nullptr : extension->file(), response);
}

void AnswerExtensionNumbers(const std::string& name, ServerReflectionResponse& response) {
  const auto* const type = Pool().FindMessageTypeByName(name);
  if (type == nullptr) return AnswerNotFound(response);
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(type, &extensions);
  auto& answer = *response.mutable_all_extension_numbers_response();
  answer.set_base_type_name(name);
  for (const FieldDescriptor* extension : extensions) {
    answer.add_extension_number(extension->number());
  }
}

const google::protobuf::ServiceDescriptor& Descriptor() {
  return *ServerReflectionRequest::descriptor()->file()->service(0);
}

}  // namespace

Reflection::Reflection(std::vector<std::string> services)
    : names_(std::move(services)),
      v1_(Descriptor()),
      v1alpha_(Descriptor(), "grpc.reflection.v1alpha.ServerReflection") {}

void Reflection::ServeOn(Shard& shard) {
  for (RawService* service : services()) Spawn(Serve(shard, *service));
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& question) const {
  ServerReflectionResponse response;
  response.set_valid_host(question.host());
  *response.mutable_original_request() = question;
  switch (question.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(Pool().FindFileByName(question.file_by_filename()), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(Pool().FindFileContainingSymbol(question.file_containing_symbol()), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      AnswerExtension(question.file_containing_extension(), response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      AnswerExtensionNumbers(question.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : names_) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    default:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("the request asks nothing");
  }
  return response;
}

Task<> Reflection::Serve(Shard& shard, RawService& service) {
  IncomingCall call(shard);
  RawService::Stream stream(&call.context);
  service.RequestStream(0, call.context, stream, shard.queue(), call.operation.tag());
  const bool matched = co_await call.operation;
  if (!matched) co_return;
  Spawn(Serve(shard, service));

  grpc::Status status;
  for (;;) {
    grpc::ByteBuffer bytes;
    stream.Read(&bytes, call.operation.tag());
    const bool read = co_await call.operation;
    if (!read) break;
    ServerReflectionRequest question;
    grpc::ProtoBufferReader reader(&bytes);
    if (!question.ParseFromZeroCopyStream(&reader)) {
      status = {grpc::StatusCode::INVALID_ARGUMENT, "not a ServerReflectionRequest"};
      break;
    }
    const grpc::Slice slice(Answer(question).SerializeAsString());
    stream.Write(grpc::ByteBuffer(&slice, 1), call.operation.tag());
    const bool written = co_await call.operation;
    if (!written) break;
  }
  stream.Finish(status, call.operation.tag());
  co_await call.operation;
  co_await call.done;
}

}  // namespace idv

#include "metrics/otlp_client.h"

#include <absl/strings/str_cat.h>
#include <curl/curl.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/span_context.h>

#include <mutex>
#include <string_view>
#include <utility>
#include <variant>

namespace idv {
namespace {

namespace nostd = opentelemetry::nostd;
namespace otlp = opentelemetry::exporter::otlp;
namespace resource = opentelemetry::sdk::resource;
namespace scope = opentelemetry::sdk::instrumentationscope;
namespace sdk_log = opentelemetry::sdk::common::internal_log;
namespace sdk_trace = opentelemetry::sdk::trace;
namespace api = opentelemetry::trace;

using opentelemetry::sdk::common::ExportResult;

// It may quote what the collector answered.
constexpr size_t kMaxReasonBytes = 200;

// The library's own log, of which nothing is written. It is the only place where opentelemetry-cpp
// 1.19 says that an export failed, what Export() returns being kSuccess all the same; it says so on
// the thread that exports, and before that, on a thread of its own, why.
class LibraryLog : public sdk_log::LogHandler {
 public:
  // What was said during one export, on its thread.
  struct Attempt {
    bool has_failed = false;
  };

  // The library knows only one log in a process; it is put there for good.
  static LibraryLog& Get() {
    static const nostd::shared_ptr<sdk_log::LogHandler> log = [] {
      const nostd::shared_ptr<sdk_log::LogHandler> made(new LibraryLog);
      sdk_log::GlobalLogHandler::SetLogHandler(made);
      sdk_log::GlobalLogHandler::SetLogLevel(sdk_log::LogLevel::Error);
      return made;
    }();
    return static_cast<LibraryLog&>(*log);
  }

  void BeginAttempt(Attempt& attempt) {
    attempt_here = &attempt;
    const std::lock_guard lock(mutex_);
    reason_.clear();
  }

  // Why the attempt failed, as far as it was said.
  std::string EndAttempt() {
    attempt_here = nullptr;
    const std::lock_guard lock(mutex_);
    return reason_.empty() ? "no answer in time" : reason_;
  }

  void Handle(sdk_log::LogLevel, const char*, int, const char* message,
              const opentelemetry::sdk::common::AttributeMap&) noexcept override {
    if (attempt_here != nullptr) {
      attempt_here->has_failed = true;
      return;
    }
    const std::lock_guard lock(mutex_);
    reason_ = std::string(message).substr(0, kMaxReasonBytes);
  }

 private:
  static thread_local Attempt* attempt_here;

  std::mutex mutex_;
  std::string reason_;  // protected by mutex_
};

thread_local LibraryLog::Attempt* LibraryLog::attempt_here = nullptr;

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

bool HasPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return false;
  curl_free(text);
  return true;
}

absl::StatusOr<std::string> TracesUrl(const std::string& endpoint) {
  // libcurl takes further slashes for a slip.
  const bool is_http = (endpoint.starts_with("http://") || endpoint.starts_with("https://")) &&
                       endpoint.find(":///") == std::string::npos;
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!is_http || curl_url_set(url.get(), CURLUPART_URL, endpoint.c_str(), 0) != CURLUE_OK ||
      HasPart(url.get(), CURLUPART_USER) || HasPart(url.get(), CURLUPART_PASSWORD) ||
      HasPart(url.get(), CURLUPART_QUERY) || HasPart(url.get(), CURLUPART_FRAGMENT)) {
    return absl::InvalidArgumentError("expected http[s]://HOST[:PORT][/PATH]");
  }
  return absl::StrCat(endpoint, endpoint.ends_with('/') ? "" : "/", "v1/traces");
}

otlp::OtlpHttpExporterOptions OptionsFor(const std::string& url) {
  otlp::OtlpHttpExporterOptions options;
  options.url = url;
  options.content_type = otlp::HttpRequestContentType::kBinary;
  options.timeout = OtlpClient::kTimeout;
  options.console_debug = false;
  return options;
}

resource::Resource ResourceOf(const OtlpClient::Options& options) {
  return resource::Resource::Create({{"service.name", options.service_name},
                                     {"service.version", options.service_version},
                                     {"service.instance.id", options.service_instance}});
}

api::SpanKind KindOf(Span::Kind kind) {
  if (kind == Span::Kind::kServer) return api::SpanKind::kServer;
  if (kind == Span::Kind::kClient) return api::SpanKind::kClient;
  return api::SpanKind::kInternal;
}

api::SpanId IdOf(const SpanId& id) { return api::SpanId(id); }

nostd::string_view ViewOf(const std::string& text) { return {text.data(), text.size()}; }

void SetAttribute(sdk_trace::Recordable& recordable, const std::string& name,
                  const Span::Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    recordable.SetAttribute(ViewOf(name), ViewOf(*text));
  } else if (const auto* const number = std::get_if<int64_t>(&value)) {
    recordable.SetAttribute(ViewOf(name), *number);
  } else {
    recordable.SetAttribute(ViewOf(name), std::get<bool>(value));
  }
}

void Fill(sdk_trace::Recordable& recordable, const Span& span) {
  const api::SpanContext context(api::TraceId(span.trace_id), IdOf(span.span_id),
                                 api::TraceFlags(api::TraceFlags::kIsSampled),
                                 /*is_remote=*/false);
  recordable.SetIdentity(context, span.parent_span_id ? IdOf(*span.parent_span_id) : api::SpanId());
  recordable.SetName(ViewOf(span.name));
  recordable.SetSpanKind(KindOf(span.kind));
  recordable.SetStartTime(opentelemetry::common::SystemTimestamp(span.begin));
  recordable.SetDuration(span.duration);
  for (const auto& [name, value] : span.attributes) SetAttribute(recordable, name, value);
  if (span.is_error) recordable.SetStatus(api::StatusCode::kError, ViewOf(span.status_text));
}

}  // namespace

const bool OtlpClient::kIsBuiltIn = true;

class OtlpClient::Library {
 public:
  Library(const Options& options, const std::string& url)
      : resource_(ResourceOf(options)),
        scope_(scope::InstrumentationScope::Create(options.service_name, options.service_version)),
        exporter_(OptionsFor(url)) {}

  bool Export(const std::vector<Span>& spans) {
    std::vector<std::unique_ptr<sdk_trace::Recordable>> recordables;
    for (const Span& span : spans) {
      recordables.push_back(exporter_.MakeRecordable());
      recordables.back()->SetResource(resource_);
      recordables.back()->SetInstrumentationScope(*scope_);
      Fill(*recordables.back(), span);
    }
    return exporter_.Export({recordables.data(), recordables.size()}) == ExportResult::kSuccess;
  }

 private:
  const resource::Resource resource_;
  const nostd::unique_ptr<scope::InstrumentationScope> scope_;
  otlp::OtlpHttpExporter exporter_;
};

absl::StatusOr<std::unique_ptr<OtlpClient>> OtlpClient::Make(const Options& options) {
  const absl::StatusOr<std::string> url = TracesUrl(options.endpoint);
  if (!url.ok()) return url.status();
  LibraryLog::Get();  // before the library writes to stderr
  return std::unique_ptr<OtlpClient>(new OtlpClient(std::make_unique<Library>(options, *url)));
}

OtlpClient::OtlpClient(std::unique_ptr<Library> library) : library_(std::move(library)) {}

OtlpClient::~OtlpClient() = default;

absl::Status OtlpClient::Send(const std::vector<Span>& spans) {
  LibraryLog::Attempt attempt;
  LibraryLog::Get().BeginAttempt(attempt);
  const bool is_success = library_->Export(spans);
  const std::string reason = LibraryLog::Get().EndAttempt();
  if (is_success && !attempt.has_failed) return absl::OkStatus();
  return absl::UnavailableError(reason);
}

}  // namespace idv

#include "gateway/config_defaults.h"

#include <string>

#include "upstream/frames_writer.h"

namespace idv {
namespace {

namespace schema = kora::idv::gateway::v1;

constexpr char kServiceAccountToken[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";

// A dozen series each: more of them would make /metrics slow, and Prometheus large.
constexpr int kMostLabelledTenants = 200;

void Fill(std::string* field, const char* value) {
  if (field->empty()) *field = value;
}

void FillLogin(schema::VaultAuth& auth) {
  const bool is_kubernetes = auth.has_kubernetes();
  if (!is_kubernetes && !auth.has_jwt()) return;
  schema::VaultLogin& login = is_kubernetes ? *auth.mutable_kubernetes() : *auth.mutable_jwt();
  Fill(login.mutable_mount(), is_kubernetes ? "kubernetes" : "jwt");
  Fill(login.mutable_jwt_file(), kServiceAccountToken);
}

void FillSpending(schema::Config& config) {
  if (!config.budget().has_queue()) config.mutable_budget()->set_queue(1000);
  schema::Retry& retry = *config.mutable_retry();
  if (!retry.has_max_attempts()) retry.set_max_attempts(3);
  if (!retry.has_budget()) retry.set_budget(0.2);
  Fill(retry.mutable_base_delay(), "50ms");
  Fill(retry.mutable_max_delay(), "2s");
  schema::Breaker& breaker = *config.mutable_breaker();
  if (!breaker.has_failures()) breaker.set_failures(10);
  Fill(breaker.mutable_window(), "30s");
  Fill(breaker.mutable_open_for(), "5s");
  schema::Cache& cache = *config.mutable_cache();
  Fill(cache.mutable_reference()->mutable_fresh(), "1h");
  Fill(cache.mutable_reference()->mutable_stale(), "24h");
  Fill(cache.mutable_reference()->mutable_stale_if_error(), "7d");
  Fill(cache.mutable_verification()->mutable_terminal_for(), "0s");
  if (!cache.has_join_reads()) cache.set_join_reads(true);
}

}  // namespace

void FillDefaults(schema::Config& config) {
  schema::Listen& listen = *config.mutable_listen();
  if (!listen.has_reflection()) listen.set_reflection(true);
  Fill(listen.mutable_unix_mode(), "0660");
  if (!listen.tls().client_ca_file().empty()) {
    Fill(config.mutable_authentication()->mutable_mtls()->mutable_identity(), "spiffe");
  }
  Fill(config.mutable_upstream()->mutable_connect_timeout(), "3s");
  const FrameKeys annotated;
  schema::LivenessFrames& frames = *config.mutable_upstream()->mutable_liveness_frames();
  Fill(frames.mutable_challenge_type_key(), annotated.challenge_type.c_str());
  Fill(frames.mutable_frames_per_second_key(), annotated.frames_per_second.c_str());
  Fill(frames.mutable_frames_key(), annotated.frames.c_str());
  Fill(frames.mutable_timestamps_key(), annotated.timestamps.c_str());
  for (schema::Jwt& jwt : *config.mutable_authentication()->mutable_jwt()) {
    Fill(jwt.mutable_identity_claim(), "sub");
  }
  Fill(config.mutable_secrets()->mutable_overlap(), "10m");
  if (config.has_vault()) {
    Fill(config.mutable_secrets()->mutable_poll(), "30s");
    FillLogin(*config.mutable_vault()->mutable_auth());
  }
  Fill(config.mutable_log()->mutable_level(), "info");
  if (!config.log().has_access()) config.mutable_log()->set_access(true);
  schema::Metrics& metrics = *config.mutable_metrics();
  if (!metrics.has_tenant_label()) {
    metrics.set_tenant_label(config.tenants_size() <= kMostLabelledTenants);
  }
  constexpr double kSampleRatio = 0.01;
  if (!config.tracing().has_sample_ratio())
    config.mutable_tracing()->set_sample_ratio(kSampleRatio);
  if (!config.admin().has_statusz()) config.mutable_admin()->set_statusz(true);
  schema::Limits& limits = *config.mutable_limits();
  Fill(limits.mutable_max_message(), "4MiB");
  Fill(limits.mutable_max_image(), "10MiB");
  Fill(limits.mutable_upstream_response(), "8MiB");
  Fill(limits.mutable_default_deadline(), "10s");
  Fill(limits.mutable_max_deadline(), "120s");
  Fill(limits.mutable_upload_memory(), "256MiB");
  Fill(limits.mutable_frame_bytes(), "2MiB");
  if (!limits.has_frames()) limits.set_frames(600);
  Fill(limits.mutable_stream_bytes(), "31MiB");
  Fill(limits.mutable_frame_idle(), "10s");
  Fill(limits.mutable_upstream_stall(), "10s");
  if (!limits.has_max_in_flight()) limits.set_max_in_flight(2000);
  if (!limits.has_max_in_flight_per_tenant()) limits.set_max_in_flight_per_tenant(1000);
  if (!limits.has_max_in_flight_per_caller()) limits.set_max_in_flight_per_caller(500);
  if (!limits.has_max_connections()) limits.set_max_connections(1000);
  if (!limits.has_max_streams_per_connection()) limits.set_max_streams_per_connection(256);
  FillSpending(config);
  Fill(config.mutable_drain()->mutable_unary_grace(), "10s");
  Fill(config.mutable_drain()->mutable_settle(), "5s");
  Fill(config.mutable_drain()->mutable_stream_grace(), "30s");
  schema::Connection& connection = *config.mutable_connection();
  Fill(connection.mutable_max_age(), "10m");
  Fill(connection.mutable_max_age_grace(), "60s");
  Fill(connection.mutable_keepalive_time(), "30s");
}

}  // namespace idv

#include "upstream/sandbox/courier.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "upstream/sandbox/http_post.h"

namespace idv::sandbox {

// A webhook on its way to one URL.
struct Courier::Delivery {
  enum class State { kPending, kDelivered, kFailed };

  Webhook webhook;
  std::string url;
  std::string secret;
  State state = State::kPending;
  Json attempts = Json::array();
  int failures = 0;  // since it was sent, or sent once more
  bool forgotten = false;
};

namespace {

bool IsSuccess(int status) { return status >= 200 && status <= 299; }

Json AttemptJson(Time at, const PostResult& result) {
  Json json = {{"at", FormatTime(at)}};
  if (result.status != 0) {
    json["status"] = result.status;
  } else {
    json["error"] = result.error;
  }
  return json;
}

}  // namespace

void Courier::Send(Webhook webhook, std::string url, std::string secret) {
  auto delivery = std::make_shared<Delivery>();
  delivery->webhook = std::move(webhook);
  delivery->url = std::move(url);
  delivery->secret = std::move(secret);
  if (deliveries_.size() == kMaxRemembered) deliveries_.pop_front();
  deliveries_.push_back(delivery);
  Start(delivery);
}

void Courier::Start(const std::shared_ptr<Delivery>& delivery) {
  if (delivery->forgotten) return;
  boost::asio::co_spawn(io_, Attempt(delivery), boost::asio::detached);
}

boost::asio::awaitable<void> Courier::Attempt(std::shared_ptr<Delivery> delivery) {
  const Time at = clock_.Now();
  const PostResult result = co_await HttpPost(
      delivery->url,
      WebhookHeaders(delivery->webhook, delivery->secret, std::chrono::system_clock::now()),
      delivery->webhook.body, tls_, kTimeout);

  delivery->attempts.push_back(AttemptJson(at, result));
  if (IsSuccess(result.status)) {
    delivery->state = Delivery::State::kDelivered;
  } else if (++delivery->failures == kMaxAttempts) {
    delivery->state = Delivery::State::kFailed;
  } else if (!delivery->forgotten) {
    const auto pause = kFirstPause * (1 << (delivery->failures - 1));
    agenda_.At(clock_.Now() + pause, [this, delivery] { Start(delivery); });
  }
}

std::size_t Courier::Redeliver(std::string_view id) {
  std::size_t count = 0;
  for (const auto& delivery : deliveries_) {
    if (delivery->webhook.id != id) continue;
    ++count;
    // One that is pending has attempts to come already.
    if (delivery->state == Delivery::State::kPending) continue;
    delivery->state = Delivery::State::kPending;
    delivery->failures = 0;
    Start(delivery);
  }
  return count;
}

Json Courier::ToJson() const {
  constexpr std::string_view kNames[] = {"pending", "delivered", "failed"};
  Json list = Json::array();
  for (const auto& delivery : deliveries_) {
    list.push_back({{"id", delivery->webhook.id},
                    {"event_type", delivery->webhook.type},
                    {"url", delivery->url},
                    {"state", kNames[static_cast<std::size_t>(delivery->state)]},
                    {"attempts", delivery->attempts},
                    {"body", Json::parse(delivery->webhook.body)}});
  }
  return {{"webhooks", std::move(list)}};
}

void Courier::Clear() {
  for (const auto& delivery : deliveries_) delivery->forgotten = true;
  deliveries_.clear();
}

}  // namespace idv::sandbox

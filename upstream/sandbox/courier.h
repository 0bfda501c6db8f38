#ifndef UPSTREAM_SANDBOX_COURIER_H_
#define UPSTREAM_SANDBOX_COURIER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "upstream/sandbox/agenda.h"
#include "upstream/sandbox/clock.h"
#include "upstream/sandbox/json.h"
#include "upstream/sandbox/webhook.h"

namespace idv::sandbox {

// Sends webhooks until they are answered with a 2xx: at once, and, should that fail, five times
// more, 1, 2, 4, 8 and 16 s after each other by the sandbox's clock [infer]. Those of one moment
// are under way together, so that they may arrive in any order. Signatures are of the machine's
// time, even if the clock was moved, since receivers look at theirs. Borrows its arguments; for the
// thread that runs `io`.
class Courier {
 public:
  static constexpr int kMaxAttempts = 6;
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kTimeout{10};
  static constexpr std::size_t kMaxRemembered = 1'000;

  // `tls`: whom to trust.
  Courier(boost::asio::io_context& io, boost::asio::ssl::context& tls, Clock& clock, Agenda& agenda)
      : io_(io), tls_(tls), clock_(clock), agenda_(agenda) {}

  void Send(Webhook webhook, std::string url, std::string secret);

  // Once more to every URL that it was for, with as many attempts as at first. To how many: 0 for
  // an id that is not known, or no longer.
  std::size_t Redeliver(std::string_view id);

  // {"webhooks": [...]}, oldest first, the newest kMaxRemembered.
  Json ToJson() const;

  // Forgets them all, and sends none of them again.
  void Clear();

 private:
  struct Delivery;

  void Start(const std::shared_ptr<Delivery>& delivery);
  boost::asio::awaitable<void> Attempt(std::shared_ptr<Delivery> delivery);

  boost::asio::io_context& io_;
  boost::asio::ssl::context& tls_;
  Clock& clock_;
  Agenda& agenda_;
  std::deque<std::shared_ptr<Delivery>> deliveries_;
};

}  // namespace idv::sandbox

#endif  // UPSTREAM_SANDBOX_COURIER_H_

#include "upstream/redis/shared_allowance.h"

#include <absl/strings/str_cat.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <mutex>

#include "upstream/loop/event.h"
#include "upstream/loop/wait.h"
#include "upstream/rate_window.h"

namespace idv {
namespace {

// KEYS[1]: of the tenant. Windows are told from each other by when they began, in milliseconds by
// the server's clock; one begins with the first request after the end of the last one.
//   take PER_MINUTE PER_HOUR (0: no limit)  -> {wait, minute's window, hour's window, are sure}
//   give_back MINUTE HOUR
//   settle MINUTE HOUR MORE_TIMES REFUSED_MINUTE_FOR REFUSED_HOUR_FOR (milliseconds; 0: not)
constexpr char kScript[] = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local windows = {}
for i, length in ipairs({60000, 3600000}) do
  local kept = redis.call('HMGET', KEYS[1], i .. 'began', i .. 'ends', i .. 'used', i .. 'sure')
  local window = {began = tonumber(kept[1]), ends = tonumber(kept[2]), used = tonumber(kept[3]),
                  sure = tonumber(kept[4]), length = length}
  if not window.ends or window.ends <= now then
    window = {began = now, ends = now + length, used = 0, sure = 0, length = length}
  end
  windows[i] = window
end

local answer = {0, windows[1].began, windows[2].began, math.min(windows[1].sure, windows[2].sure)}
if ARGV[1] == 'take' then
  for i, window in ipairs(windows) do
    local limit = tonumber(ARGV[1 + i])
    if limit > 0 and window.used >= limit then
      answer[1] = math.max(answer[1], window.ends - now)
    end
  end
  if answer[1] > 0 then return answer end
  for i, window in ipairs(windows) do
    window.used = window.used + 1
    window.changed = true
  end
else
  for i, window in ipairs(windows) do
    if window.began == tonumber(ARGV[1 + i]) then
      window.changed = true
      if ARGV[1] == 'give_back' then
        window.used = math.max(0, window.used - 1)
      else
        window.used = window.used + tonumber(ARGV[4])
        if window.sure == 0 then
          window.sure = 1
          window.ends = now + window.length
        end
      end
    end
    local refused_for = tonumber(ARGV[4 + i] or 0)
    if refused_for > 0 then
      window.changed = true
      window.used = 1e9
      window.ends = now + refused_for
    end
  end
end

local last = 0
for i, window in ipairs(windows) do
  if window.changed then
    redis.call('HSET', KEYS[1], i .. 'began', window.began, i .. 'ends', window.ends,
               i .. 'used', window.used, i .. 'sure', window.sure)
  end
  last = math.max(last, window.ends)
end
redis.call('PEXPIREAT', KEYS[1], last)
return answer
)lua";

// A time further off is not the end of a minute.
constexpr std::chrono::seconds kMinuteAtMost{62};

std::string Limit(int limit) { return limit == RateWindow::kNoLimit ? "0" : absl::StrCat(limit); }

}  // namespace

SharedAllowance::Permit::~Permit() {
  if (allowance_ != nullptr) allowance_->GiveBack(windows_);
}

void SharedAllowance::Permit::Spend(int times, const RateLimitNotice& notice) {
  const auto allowance = std::exchange(allowance_, nullptr);
  allowance->Settle(windows_, times, notice);
}

// Of one Take(), for which the client's thread has the answer.
class SharedAllowance::Asked {
 public:
  explicit Asked(Loop& loop) : changed(loop), loop_(&loop) {}

  // On any thread.
  void Tell(const std::shared_ptr<Asked>& self, Answer final_answer) {
    const auto told = std::make_shared<Answer>(std::move(final_answer));
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    loop_->Post([self, told] {
      self->answer.emplace(std::move(*told));
      self->changed.Set();
    });
  }

  // Nobody waits any more, and the loop may go.
  void Leave() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

  // Of the loop's thread:
  Event changed;
  std::optional<Answer> answer;

 private:
  std::mutex mutex_;
  Loop* loop_;  // protected by mutex_
};

SharedAllowance::SharedAllowance(RedisClient& redis, const std::string& tenant_id)
    : redis_(redis), key_(absl::StrCat("idv-gateway:allowance:", tenant_id)) {}

void SharedAllowance::Ask(std::initializer_list<std::string> arguments,
                          RedisClient::OnReply on_reply) const {
  RedisCommand command{"EVAL", kScript, "1", key_};
  command.insert(command.end(), arguments);
  redis_.Ask(std::move(command), std::move(on_reply));
}

Task<SharedAllowance::Answer> SharedAllowance::Take(Allowance::Limits limits, Loop& loop,
                                                    TimePoint deadline, Cancellation& cancel) {
  if (cancel.fired() || !redis_.is_up()) co_return Answer();
  // An answer that comes when nobody waits for it any more gives its permit back.
  const auto asked = std::make_shared<Asked>(loop);
  Ask({"take", Limit(limits.per_minute), Limit(limits.per_hour)},
      [self = shared_from_this(), asked](const absl::StatusOr<RedisReply>& reply) {
        asked->Tell(asked, reply.ok() ? self->Read(**reply) : Answer());
      });
  Task<> waiting = WaitFor([&asked] { return asked->answer.has_value(); }, asked->changed, deadline,
                           loop, cancel);
  co_await waiting;
  asked->Leave();
  co_return std::move(asked->answer).value_or(Answer());
}

SharedAllowance::Answer SharedAllowance::Read(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 4) return {};
  const auto number = [&](size_t place) -> int64_t { return reply.element[place]->integer; };
  if (number(0) > 0) return {.permit = {}, .wait = std::chrono::milliseconds(number(0))};
  return {.permit = Permit(shared_from_this(),
                           {.minute = number(1), .hour = number(2), .are_sure = number(3) != 0}),
          .wait = {}};
}

void SharedAllowance::GiveBack(const Permit::Windows& windows) {
  Ask({"give_back", absl::StrCat(windows.minute), absl::StrCat(windows.hour)}, [](const auto&) {});
}

void SharedAllowance::Settle(const Permit::Windows& windows, int times,
                             const RateLimitNotice& notice) {
  const std::chrono::milliseconds refused =
      notice.is_refused ? notice.retry_after.value_or(std::chrono::milliseconds(0))
                        : std::chrono::milliseconds(0);
  if (windows.are_sure && times <= 1 && refused.count() == 0) return;  // nothing new
  const std::string refused_for = absl::StrCat(refused.count());
  const bool is_of_hour = refused > kMinuteAtMost;
  Ask({"settle", absl::StrCat(windows.minute), absl::StrCat(windows.hour), absl::StrCat(times - 1),
       is_of_hour ? "0" : refused_for, is_of_hour ? refused_for : "0"},
      [](const auto&) {});
}

}  // namespace idv

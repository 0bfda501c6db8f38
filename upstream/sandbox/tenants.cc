#include "upstream/sandbox/tenants.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <utility>

#include "upstream/sandbox/ascii.h"
#include "upstream/sandbox/url.h"
#include "upstream/sandbox/uuid.h"

namespace idv::sandbox {
namespace {

constexpr unsigned kAllScopes = 0x3F;

constexpr std::array<std::pair<std::string_view, unsigned>, 7> kScopeNames = {{
    {"verifications:read", 1U << static_cast<unsigned>(Scope::kVerificationsRead)},
    {"verifications:write", 1U << static_cast<unsigned>(Scope::kVerificationsWrite)},
    {"reviews:write", 1U << static_cast<unsigned>(Scope::kReviewsWrite)},
    {"alerts:read", 1U << static_cast<unsigned>(Scope::kAlertsRead)},
    {"alerts:write", 1U << static_cast<unsigned>(Scope::kAlertsWrite)},
    {"reference:read", 1U << static_cast<unsigned>(Scope::kReferenceRead)},
    {"*", kAllScopes},
}};

std::string Item(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace

// Walks the YAML once and notes every problem on the way. yaml-cpp throws; Tenants::Parse catches.
class TenantsReader {
 public:
  void Read(const YAML::Node& root) {
    if (!IsMap(root, "the file", {"tenants"})) return;
    EachItem(root["tenants"], "tenants", &TenantsReader::ReadTenant);
  }

  Tenants tenants;
  std::vector<std::string> problems;

 private:
  using ReadItem = void (TenantsReader::*)(const YAML::Node&, const std::string& path);

  void Note(const std::string& path, const std::string& problem) {
    problems.push_back(path + ": " + problem);
  }

  bool IsMap(const YAML::Node& node, const std::string& path,
             std::initializer_list<std::string_view> keys) {
    if (!node.IsMap()) {
      Note(path, "must be a map");
      return false;
    }
    for (const auto& member : node) {
      const auto key = member.first.as<std::string>();
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) Note(path, "unknown key " + key);
    }
    return true;
  }

  void EachItem(const YAML::Node& list, const std::string& path, ReadItem read) {
    if (!list || !list.IsSequence() || list.size() == 0) {
      Note(path, "must be a list of at least one item");
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) (this->*read)(list[i], Item(path, i));
  }

  std::string Text(const YAML::Node& node, const std::string& path) {
    if (node && node.IsScalar() && !node.Scalar().empty()) return node.Scalar();
    Note(path, "must be a text that is not empty");
    return {};
  }

  void ReadTenant(const YAML::Node& node, const std::string& path) {
    if (!IsMap(node, path, {"tenant_id", "plan", "webhook", "keys"})) return;
    tenant_id_ = ToLower(Text(node["tenant_id"], path + ".tenant_id"));
    if (!tenant_id_.empty() && !IsUuid(tenant_id_)) Note(path + ".tenant_id", "must be a UUID");
    if (!tenant_id_.empty() && !seen_.insert(tenant_id_).second) {
      Note(path + ".tenant_id", "is given twice");
    }
    plan_ = node["plan"] ? ReadPlan(node["plan"], path + ".plan") : nullptr;
    tenants.webhooks_[tenant_id_] =
        node["webhook"] ? ReadWebhook(node["webhook"], path + ".webhook") : WebhookSettings();
    EachItem(node["keys"], path + ".keys", &TenantsReader::ReadKey);
  }

  const Plan* ReadPlan(const YAML::Node& node, const std::string& path) {
    const std::string name = Text(node, path);
    const Plan* const plan = FindPlan(name);
    if (plan == nullptr && !name.empty()) Note(path, "must be " + std::string(PlanNames()));
    return plan;
  }

  WebhookSettings ReadWebhook(const YAML::Node& node, const std::string& path) {
    WebhookSettings settings;
    if (!IsMap(node, path, {"url", "secret"})) return settings;
    if (node["url"]) settings.url = Text(node["url"], path + ".url");
    if (node["secret"]) settings.secret = Text(node["secret"], path + ".secret");
    if (!settings.url.empty() && !ParseUrl(settings.url)) {
      Note(path + ".url", "must be a URL of http or https");
    }
    return settings;
  }

  void ReadKey(const YAML::Node& node, const std::string& path) {
    if (!IsMap(node, path, {"key", "scopes"})) return;
    const std::string key = Text(node["key"], path + ".key");
    scopes_ = 0;
    EachItem(node["scopes"], path + ".scopes", &TenantsReader::ReadScope);
    if (key.empty()) return;
    const bool is_new = tenants.grants_.emplace(key, Grant{tenant_id_, scopes_, plan_}).second;
    if (!is_new) Note(path + ".key", "is given twice");
  }

  void ReadScope(const YAML::Node& node, const std::string& path) {
    const std::string name = Text(node, path);
    const auto* const scope =
        std::find_if(kScopeNames.begin(), kScopeNames.end(),
                     [&name](const auto& known) { return known.first == name; });
    if (scope != kScopeNames.end()) {
      scopes_ |= scope->second;
    } else if (!name.empty()) {
      Note(path, "unknown scope " + name);
    }
  }

  std::set<std::string> seen_;
  // Of the tenant being read.
  std::string tenant_id_;
  const Plan* plan_ = nullptr;
  unsigned scopes_ = 0;  // of the key being read
};

std::string_view ScopeName(Scope scope) {
  return kScopeNames[static_cast<std::size_t>(scope)].first;
}

Tenants Tenants::Default(const Plan* plan, WebhookSettings webhook) {
  constexpr const char* kTenantId = "550e8400-e29b-41d4-a716-446655440000";
  Tenants tenants;
  tenants.grants_.emplace("test_sk_sandbox", Grant{kTenantId, kAllScopes, plan});
  tenants.webhooks_.emplace(kTenantId, std::move(webhook));
  return tenants;
}

std::variant<Tenants, std::vector<std::string>> Tenants::Parse(const std::string& yaml) {
  TenantsReader reader;
  try {
    reader.Read(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    reader.problems.push_back("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  if (!reader.problems.empty()) return std::move(reader.problems);
  return std::move(reader.tenants);
}

const Grant* Tenants::Find(const std::string& key) const {
  const auto found = grants_.find(key);
  return found == grants_.end() ? nullptr : &found->second;
}

const WebhookSettings& Tenants::WebhookOf(const std::string& tenant_id) const {
  static const WebhookSettings kNone;
  const auto found = webhooks_.find(tenant_id);
  return found == webhooks_.end() ? kNone : found->second;
}

}  // namespace idv::sandbox

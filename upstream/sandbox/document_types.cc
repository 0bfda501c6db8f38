#include "upstream/sandbox/document_types.h"

#include <array>

namespace idv::sandbox {
namespace {

constexpr auto kDocumentTypes = std::to_array<DocumentType>({
    {"international_passport", "International Passport", "INTL", true, false},
    {"us_drivers_license", "US Driver's License", "US", false, true},
    {"us_state_id", "US State ID", "US", false, true},
    {"us_green_card", "US Green Card", "US", true, true},
    {"eu_id_de", "German Identity Card", "DE", true, true},
    {"eu_id_fr", "French Identity Card", "FR", true, true},
    {"eu_id_es", "Spanish Identity Card", "ES", true, true},
    {"eu_id_it", "Italian Identity Card", "IT", true, true},
    {"ghana_card", "Ghana Card", "GH", false, true},
    {"gh_drivers_license", "Ghanaian Driver's License", "GH", false, true},
    {"ng_nin", "Nigerian National Identification Number", "NG", false, false},
    {"ng_drivers_license", "Nigerian Driver's License", "NG", false, true},
    {"ng_voters_card", "Nigerian Voter's Card", "NG", false, false},
    {"ke_id", "Kenyan National ID", "KE", false, true},
    {"ke_drivers_license", "Kenyan Driver's License", "KE", false, true},
    {"za_id", "South African ID", "ZA", false, true},
    {"za_drivers_license", "South African Driver's License", "ZA", false, true},
    {"uk_drivers_license", "UK Driving Licence", "GB", false, true},
    {"uk_brp", "UK Biometric Residence Permit", "GB", true, true},
    {"ca_drivers_license", "Canadian Driver's License", "CA", false, true},
    {"ca_pr_card", "Canadian Permanent Resident Card", "CA", true, true},
    {"ca_national_id", "Canadian National ID", "CA", true, false},
    {"in_drivers_license", "Indian Driving Licence", "IN", false, true},
    {"lr_id", "Liberian National ID", "LR", false, true},
    {"lr_drivers_license", "Liberian Driver's License", "LR", false, true},
    {"lr_voters_card", "Liberian Voter's Card", "LR", false, false},
    {"sl_id", "Sierra Leonean National ID", "SL", false, true},
    {"sl_drivers_license", "Sierra Leonean Driver's License", "SL", false, true},
    {"sl_voters_card", "Sierra Leonean Voter's Card", "SL", false, false},
    {"gm_id", "Gambian National ID", "GM", false, true},
    {"gm_drivers_license", "Gambian Driver's License", "GM", false, true},
    {"de_rp", "German Residence Permit", "DE", true, true},
    {"fr_rp", "French Residence Permit", "FR", true, true},
    {"it_rp", "Italian Residence Permit", "IT", true, true},
    {"es_rp", "Spanish Residence Permit", "ES", true, true},
    {"ie_rp", "Irish Residence Permit", "IE", true, true},
    {"pt_rp", "Portuguese Residence Permit", "PT", true, true},
    {"se_rp", "Swedish Residence Permit", "SE", true, true},
    {"dk_rp", "Danish Residence Permit", "DK", true, true},
    {"no_rp", "Norwegian Residence Permit", "NO", true, true},
    {"fi_rp", "Finnish Residence Permit", "FI", true, true},
    {"pl_rp", "Polish Residence Permit", "PL", true, true},
});

constexpr auto kCountries = std::to_array<Country>({
    {"INTL", "International", "International"},
    {"US", "United States", "North America"},
    {"CA", "Canada", "North America"},
    {"DE", "Germany", "Europe"},
    {"FR", "France", "Europe"},
    {"ES", "Spain", "Europe"},
    {"IT", "Italy", "Europe"},
    {"GB", "United Kingdom", "Europe"},
    {"IE", "Ireland", "Europe"},
    {"PT", "Portugal", "Europe"},
    {"SE", "Sweden", "Europe"},
    {"DK", "Denmark", "Europe"},
    {"NO", "Norway", "Europe"},
    {"FI", "Finland", "Europe"},
    {"PL", "Poland", "Europe"},
    {"GH", "Ghana", "Africa"},
    {"NG", "Nigeria", "Africa"},
    {"KE", "Kenya", "Africa"},
    {"ZA", "South Africa", "Africa"},
    {"LR", "Liberia", "Africa"},
    {"SL", "Sierra Leone", "Africa"},
    {"GM", "Gambia", "Africa"},
    {"IN", "India", "Asia"},
});

}  // namespace

std::span<const DocumentType> DocumentTypes() { return kDocumentTypes; }
std::span<const Country> Countries() { return kCountries; }

const DocumentType* FindDocumentType(std::string_view code) {
  for (const DocumentType& type : kDocumentTypes) {
    if (type.code == code) return &type;
  }
  return nullptr;
}

}  // namespace idv::sandbox

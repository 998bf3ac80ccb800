#include "proxy/runtime/chain_id.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;

std::string DigestOf(const std::string& bytes) {
  return "sha256:" + trust::ToHex(trust::Sha256Of(bytes));
}

std::string TextIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint32_t NumberIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint32_t>() : 0;
}

std::vector<IdMapping> MappingsIn(const json& linux_part, const char* name) {
  std::vector<IdMapping> mappings;
  const auto found = linux_part.find(name);
  if (found == linux_part.end() || !found->is_array()) return mappings;
  for (const json& mapping : *found) {
    if (!mapping.is_object()) continue;
    mappings.push_back({.container_id = NumberIn(mapping, "containerID"),
                        .host_id = NumberIn(mapping, "hostID"),
                        .size = NumberIn(mapping, "size")});
  }
  return mappings;
}

// As Go's encoder writes it, in the order of the fields: the text is hashed.
std::string Encoded(const std::vector<IdMapping>& mappings) {
  std::string text;
  for (const IdMapping& mapping : mappings) {
    text += text.empty() ? "" : ",";
    text += R"({"containerID":)" + std::to_string(mapping.container_id) + R"(,"hostID":)" +
            std::to_string(mapping.host_id) + R"(,"size":)" + std::to_string(mapping.size) + "}";
  }
  return "[" + text + "]";
}

}  // namespace

std::string ChainIdOf(const std::vector<std::string>& diff_ids) {
  std::string chain;
  for (const std::string& diff_id : diff_ids) {
    chain = chain.empty() ? diff_id : DigestOf(chain + " " + diff_id);
  }
  return chain;
}

std::optional<std::string> ReadChainId(std::string_view config) {
  // A history may be millions of entries long, and is not looked at.
  const auto only_rootfs = [](int depth, json::parse_event_t event, const json& parsed) {
    return event != json::parse_event_t::key || depth > 1 ||
           parsed.get_ref<const std::string&>() == "rootfs";
  };
  const json read = json::parse(config, only_rootfs, /*allow_exceptions=*/false);
  if (!read.is_object()) return std::nullopt;
  const auto rootfs = read.find("rootfs");
  if (rootfs == read.end() || !rootfs->is_object()) return std::nullopt;
  std::vector<std::string> diff_ids;
  const auto found = rootfs->find("diff_ids");
  if (found == rootfs->end() || found->is_null()) return ChainIdOf(diff_ids);
  if (!found->is_array()) return std::nullopt;
  for (const json& diff_id : *found) {
    if (!diff_id.is_string()) return std::nullopt;
    diff_ids.push_back(diff_id.get<std::string>());
  }
  return ChainIdOf(diff_ids);
}

std::string TextInSpec(const std::string& bytes) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  const std::string dumped = json(bytes).dump(-1, ' ', false, json::error_handler_t::replace);
  auto text = json::parse(dumped, nullptr, /*allow_exceptions=*/false).get<std::string>();
  const std::string twice = std::string(kReplacement) + std::string(kReplacement);
  for (auto at = text.find(twice); at != std::string::npos; at = text.find(twice, at)) {
    text.erase(at, kReplacement.size());
  }
  return text;
}

std::optional<ContainerSpec> ReadContainerSpec(std::string_view spec) {
  const json read = json::parse(spec, nullptr, /*allow_exceptions=*/false);
  if (!read.is_object()) return std::nullopt;
  ContainerSpec result;
  if (const auto linux_part = read.find("linux");
      linux_part != read.end() && linux_part->is_object()) {
    result.uid_mappings = MappingsIn(*linux_part, "uidMappings");
    result.gid_mappings = MappingsIn(*linux_part, "gidMappings");
  }
  const auto mounts = read.find("mounts");
  if (mounts == read.end() || !mounts->is_array()) return result;
  for (const json& mount : *mounts) {
    if (!mount.is_object()) continue;
    result.mounts.push_back({TextInSpec(TextIn(mount, "destination")), TextIn(mount, "source")});
  }
  return result;
}

std::vector<std::string> RemappedNames(const std::string& chain_id, const ContainerSpec& spec) {
  if (spec.uid_mappings.empty() || spec.gid_mappings.empty()) return {};
  const std::string uid = std::to_string(spec.uid_mappings.front().host_id);
  const std::string gid = std::to_string(spec.gid_mappings.front().host_id);
  const std::string hashed = R"({"Parent":")" + chain_id + R"(","IDMap":{"UidMap":)" +
                             Encoded(spec.uid_mappings) + R"(,"GidMap":)" +
                             Encoded(spec.gid_mappings) + "}}";
  return {chain_id + "-" + uid + "-" + gid, DigestOf(hashed)};
}

}  // namespace crivet::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/chain_id.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;

// No file system of layers takes that many.
constexpr std::size_t kMaxLayers = 4096;

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

// LayersReader keeps of an image's configuration the texts of rootfs.diff_ids. Whatever else stands
// there may be millions of values, and is passed over; where something else stands in their place,
// reading ends.
class LayersReader final : public json::json_sax_t {
 public:
  // Nothing where the configuration has no rootfs.
  std::optional<std::vector<std::string>> layers() const { return layers_; }

  bool null() override {
    if (place_ != Place::kLayers) return IsElsewhere() && Passed();
    layers_.emplace();
    return Passed();
  }
  bool boolean(bool /*value*/) override { return IsElsewhere() && Passed(); }
  bool number_integer(number_integer_t /*value*/) override { return IsElsewhere() && Passed(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return IsElsewhere() && Passed(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return IsElsewhere() && Passed();
  }
  bool binary(binary_t& /*value*/) override { return IsElsewhere() && Passed(); }
  bool string(string_t& value) override {
    if (place_ != Place::kLayer) return IsElsewhere() && Passed();
    if (layers_->size() == kMaxLayers) return false;
    layers_->push_back(value);
    return true;
  }

  bool start_object(std::size_t /*members*/) override {
    if (place_ == Place::kLayers || place_ == Place::kLayer) return false;
    if (place_ == Place::kRootfs) {
      rootfs_is_open_ = true;
      layers_.emplace();
    }
    ++depth_;
    return Passed();
  }
  bool end_object() override {
    if (--depth_ == 1) rootfs_is_open_ = false;
    return Passed();
  }
  bool key(string_t& name) override {
    place_ = Place::kElsewhere;
    if (depth_ == 1 && name == "rootfs") place_ = Place::kRootfs;
    if (depth_ == 2 && rootfs_is_open_ && name == "diff_ids") place_ = Place::kLayers;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    if (depth_ == 0 || place_ == Place::kRootfs || place_ == Place::kLayer) return false;
    const bool begins = place_ == Place::kLayers;
    if (begins) layers_.emplace();
    ++depth_;
    place_ = begins ? Place::kLayer : Place::kElsewhere;
    return true;
  }
  bool end_array() override {
    --depth_;
    return Passed();
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  // What the next value is.
  enum class Place : unsigned char { kElsewhere, kRootfs, kLayers, kLayer };

  bool IsElsewhere() const { return depth_ > 0 && place_ == Place::kElsewhere; }
  bool Passed() {
    place_ = Place::kElsewhere;
    return true;
  }

  std::size_t depth_ = 0;
  bool rootfs_is_open_ = false;
  Place place_ = Place::kElsewhere;
  std::optional<std::vector<std::string>> layers_;
};

}  // namespace

std::string ChainIdOf(const std::vector<std::string>& diff_ids) {
  std::string chain;
  for (const std::string& diff_id : diff_ids) {
    if (chain.empty()) {
      chain = diff_id;
    } else {
      chain = DigestOf(chain.append(" ").append(diff_id));
    }
  }
  return chain;
}

std::optional<std::string> ReadChainId(std::string_view config) {
  LayersReader reader;
  if (!json::sax_parse(config, &reader)) return std::nullopt;
  const auto layers = reader.layers();
  if (!layers) return std::nullopt;
  return ChainIdOf(*layers);
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

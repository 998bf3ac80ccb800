// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/manifest_digests.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

namespace crivet::proxy {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxManifestsOfIndex = 64;

// Whoever may push an image chooses the text, and a tree of it takes many times its size: only the
// digests are kept.
class DigestsReader final : public json::json_sax_t {
 public:
  ManifestDigests digests;

  bool null() override { return Pass(); }
  bool boolean(bool /*value*/) override { return Pass(); }
  bool number_integer(number_integer_t /*value*/) override { return Pass(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return Pass(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return Pass(); }
  bool binary(binary_t& /*value*/) override { return Pass(); }
  bool string(string_t& value) override {
    if (Take() != Place::kDigest) return true;
    if (!list_is_open_) {
      digests.config = value;
    } else if (digests.manifests.size() < kMaxManifestsOfIndex) {
      digests.manifests.push_back(value);
    }
    return true;
  }

  bool start_object(std::size_t /*members*/) override {
    const bool is_descriptor = Take() == Place::kDescriptor;
    ++depth_;
    if (is_descriptor) descriptor_depth_ = depth_;
    return true;
  }
  bool end_object() override {
    if (depth_ == descriptor_depth_) descriptor_depth_ = 0;
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    const bool is_list = Take() == Place::kManifests;
    ++depth_;
    if (is_list) list_is_open_ = true;
    return true;
  }
  bool end_array() override {
    if (depth_ == kDepthInList) list_is_open_ = false;
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1 && name == "config") next_ = Place::kDescriptor;
    if (depth_ == 1 && name == "manifests") next_ = Place::kManifests;
    if (depth_ == descriptor_depth_ && name == "digest") next_ = Place::kDigest;
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  // What the next value is.
  enum class Place : unsigned char { kElsewhere, kDescriptor, kManifests, kDigest };
  static constexpr std::size_t kDepthInList = 2;

  Place Take() {
    if (list_is_open_ && depth_ == kDepthInList) return Place::kDescriptor;
    return std::exchange(next_, Place::kElsewhere);
  }
  bool Pass() {
    next_ = Place::kElsewhere;
    return true;
  }

  std::size_t depth_ = 0;
  std::size_t descriptor_depth_ = 0;  // of the one that is open; 0: none is
  bool list_is_open_ = false;
  Place next_ = Place::kElsewhere;
};

}  // namespace

ManifestDigests ReadManifestDigests(std::string_view manifest) {
  DigestsReader reader;
  return json::sax_parse(manifest, &reader) ? std::move(reader.digests) : ManifestDigests();
}

}  // namespace crivet::proxy

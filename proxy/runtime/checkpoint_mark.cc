// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/checkpoint_mark.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace crivet::proxy {
namespace {

using nlohmann::json;

constexpr std::string_view kCheckpointMarks[] = {
    "org.criu.checkpoint.",
    "io.kubernetes.cri-o.annotations.checkpoint.",
    "io.podman.annotations.checkpoint.",
};

// Reads on as long as it is an object without a mark.
class MarkFinder final : public json::json_sax_t {
 public:
  bool null() override { return is_object_; }
  bool boolean(bool /*value*/) override { return is_object_; }
  bool number_integer(number_integer_t /*value*/) override { return is_object_; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return is_object_; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override {
    return is_object_;
  }
  bool string(string_t& /*value*/) override { return is_object_; }
  bool binary(binary_t& /*value*/) override { return is_object_; }
  bool start_object(std::size_t /*members*/) override { return is_object_ = true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t /*elements*/) override { return is_object_; }
  bool end_array() override { return true; }
  bool key(string_t& name) override { return !IsCheckpointMark(name); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  bool is_object_ = false;
};

}  // namespace

bool IsCheckpointMark(std::string_view key) {
  return std::any_of(std::begin(kCheckpointMarks), std::end(kCheckpointMarks),
                     [key](std::string_view mark) { return key.starts_with(mark); });
}

bool MayBeCheckpoint(std::string_view manifest) {
  MarkFinder finder;
  return !json::sax_parse(manifest, &finder);
}

}  // namespace crivet::proxy

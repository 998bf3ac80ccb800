// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/annotations.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "trust/base/quoted.h"

namespace crivet::trust::registry_bound {
namespace {

constexpr std::string_view kTag = "$tag";
constexpr std::size_t kMaxWanted = 16;

tl::unexpected<SignatureError> Refuse(const std::string& name, const std::string& found) {
  return RefuseSignature(SignatureReason::kIdentity,
                         "the signer's annotation \"" + Quoted(name) + "\" " + found);
}

}  // namespace

SignatureResult<void> AnnotationDemand::Check(const Annotations& added,
                                              const std::optional<std::string>& tag) const {
  for (const Wanted& one : wanted) {
    const auto found = added.find(one.name);
    if (found == added.end()) return Refuse(one.name, "is missing");
    const std::optional<std::string>& value = one.value ? one.value : tag;
    if (value && found->second != *value) {
      return Refuse(one.name,
                    "is \"" + Quoted(found->second) + "\", not \"" + Quoted(*value) + '"');
    }
  }
  return {};
}

std::string AnnotationDemand::Written() const {
  std::string all;
  const auto put = [&](std::string_view part) {
    all.append(std::to_string(part.size())).append(":").append(part);
  };
  for (const Wanted& one : wanted) {
    put(one.name);
    put(one.value ? "is this" : "is the tag");
    put(one.value.value_or(""));
  }
  return all;
}

AnnotationDemand ReadAnnotations(KeyReader& keys) {
  AnnotationDemand demand;
  if (!keys.Has(kAnnotations)) return demand;
  const auto table = keys.Table(kAnnotations);
  if (!table) return demand;
  const std::vector<std::string> names = table->Names();
  if (names.empty()) keys.Wrong(keys.PlaceOf(kAnnotations), "\"annotations\" must not be empty");
  if (names.size() > kMaxWanted) {
    keys.Wrong(keys.PlaceOf(kAnnotations), "\"annotations\" has more than 16 entries");
  }
  for (const std::string& name : names) {
    auto value = table->String(name);
    if (!value) continue;
    if (value->value == kTag) {
      demand.wanted.push_back({name, std::nullopt});
    } else if (value->value.find(kTag) != std::string::npos) {
      table->Wrong(value->at, "\"$tag\" stands for a whole value, not for a part of one");
    } else {
      demand.wanted.push_back({name, std::move(value->value)});
    }
  }
  table->Finish();
  return demand;
}

}  // namespace crivet::trust::registry_bound

// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/refused_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "proxy/cli/screen.h"
#include "trust/base/image_reference.h"
#include "trust/base/reason.h"

namespace crivet::proxy::cli {
namespace {

struct Name {
  std::string canonical;
  std::string repository;
  bool tagged = false;
};

Name NameOf(const std::string& image) {
  const auto reference = trust::ImageReference::Parse(image);
  if (!reference) return {image, image, false};
  return {reference->Canonical(), reference->repository(), reference->tag().has_value()};
}

bool IsAmong(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// Whether the rules say nothing of the image, as against refusing it.
bool LacksARule(const RefusedImage& image) {
  return image.rule == "default" && image.reason == trust::CodeOf(trust::Reason::kDenied);
}

std::string Counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string UsersOf(const RefusedImage& image) {
  constexpr std::size_t kMostNamed = 5;
  std::string text;
  if (image.sandbox) text = "every pod's sandbox; ";
  for (std::size_t i = 0; i < std::min(image.containers.size(), kMostNamed); ++i) {
    text += (i == 0 ? "" : ", ") + image.containers[i];
  }
  if (image.containers.size() > kMostNamed) {
    text += fmt::format(" and {} more", image.containers.size() - kMostNamed);
  }
  if (text.empty()) return "no running container";
  return text.ends_with("; ") ? text.substr(0, text.size() - 2) : text;
}

// kubelet's message without what is said already: its own word, and the name.
std::string WhatIsWrong(const RefusedImage& image) {
  std::string_view text = image.message;
  for (const std::string& name : image.names) {
    const std::size_t at = text.find(name + ": ");
    if (at == std::string_view::npos || at > 32) continue;
    text.remove_prefix(at + name.size() + 2);
    break;
  }
  return std::string(text);
}

}  // namespace

std::vector<RefusedImage> GroupByImage(const std::vector<admin::v1::JudgedImage>& refused) {
  std::vector<RefusedImage> images;
  for (const auto& use : refused) {
    const Name name = NameOf(use.image());
    auto image = std::find_if(images.begin(), images.end(), [&](const RefusedImage& one) {
      const bool same_content = !use.digest().empty() && one.digest == use.digest() &&
                                NameOf(one.name).repository == name.repository;
      return same_content || IsAmong(one.names, name.canonical);
    });
    if (image == images.end()) {
      images.push_back(
          {use.image(), {}, use.digest(), use.reason(), use.rule(), use.message(), {}});
      image = images.end() - 1;
      image->needs_secret = use.needs_secret();
    } else if (name.tagged && !NameOf(image->name).tagged) {
      image->name = use.image();
      image->reason = use.reason();
      image->rule = use.rule();
      image->message = use.message();
    }
    if (!IsAmong(image->names, name.canonical)) image->names.push_back(name.canonical);
    if (!use.container().empty()) image->containers.push_back(use.container());
    image->sandbox = image->sandbox || use.sandbox();
    image->needs_secret = image->needs_secret && use.needs_secret();
  }
  return images;
}

std::vector<std::string> RefusedForPeople(const std::vector<RefusedImage>& images,
                                          std::size_t width) {
  ScreenText lines(width);
  const auto add = [&](const RefusedImage& image) {
    lines.Add(image.name);
    lines.AddWrapped("  ", WhatIsWrong(image), 4);
    lines.AddWrapped("  used by: ", UsersOf(image), 4);
  };
  for (const RefusedImage& image : images) {
    if (!image.needs_secret) add(image);
  }
  const auto needs = std::any_of(images.begin(), images.end(),
                                 [](const RefusedImage& image) { return image.needs_secret; });
  if (!needs) return std::move(lines).Take();
  lines.AddWrapped(
      "",
      "These have to be pulled once with the pod's own secret, by which they are judged "
      "then (or auth = FILE in their [trust.*]):",
      0);
  for (const RefusedImage& image : images) {
    if (image.needs_secret) add(image);
  }
  return std::move(lines).Take();
}

std::string RefusedTotal(const std::vector<RefusedImage>& images,
                         const admin::v1::LookedAt& looked_at) {
  std::size_t containers = 0;
  bool sandbox = false;
  for (const RefusedImage& image : images) {
    containers += image.containers.size();
    sandbox = sandbox || image.sandbox;
  }
  std::string total = fmt::format("{} (of {} on this node) and {} of {}",
                                  Counted(images.size(), "image"), looked_at.images(), containers,
                                  Counted(looked_at.containers(), "running container"));
  const auto secrets = std::count_if(images.begin(), images.end(),
                                     [](const RefusedImage& image) { return image.needs_secret; });
  if (secrets > 0) total += fmt::format(", {} of the images until a pull with its secret", secrets);
  if (looked_at.sandbox_image().empty()) return total + "; the sandbox image is not known";
  return total + (sandbox ? "; the sandbox image is refused, and with it every pod"
                          : "; the sandbox image may run");
}

std::vector<std::string> RulesToPaste(const std::vector<RefusedImage>& images) {
  std::map<std::string, std::vector<std::string>> repositories_of;
  for (const RefusedImage& image : images) {
    if (!LacksARule(image)) continue;
    const std::string repository = NameOf(image.name).repository;
    auto& repositories = repositories_of[repository.substr(0, repository.find('/'))];
    if (!IsAmong(repositories, repository)) repositories.push_back(repository);
  }
  std::vector<std::string> lines;
  for (const auto& [host, repositories] : repositories_of) {
    if (!lines.empty()) lines.emplace_back();
    lines.emplace_back("[[rule]]");
    lines.push_back(fmt::format("name   = \"{}\"", host));
    lines.emplace_back("images = [");
    for (const std::string& repository : repositories) {
      lines.push_back(fmt::format("  \"{}\",", repository));
    }
    lines.emplace_back("]");
    lines.emplace_back("action = \"allow\"");
  }
  return lines;
}

std::string RefusedAsJson(const admin::v1::JudgedImage& image) {
  const nlohmann::json out = {
      {"schema", "crivet.would-refuse/1"}, {"image", image.image()},
      {"digest", image.digest()},          {"container", image.container()},
      {"sandbox", image.sandbox()},        {"verdict", image.verdict()},
      {"reason", image.reason()},          {"rule", image.rule()},
      {"message", image.message()},        {"needs_secret", image.needs_secret()}};
  // Texts come from the runtime.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace crivet::proxy::cli

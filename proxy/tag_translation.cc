#include "proxy/tag_translation.h"

#include <algorithm>

#include "proxy/image_names.h"

namespace crivet::proxy {

void AddKeptTags(RuntimeImages& images, ::runtime::v1::Image& image) {
  if (!images.translates()) return;
  for (const auto& pinned : image.repo_digests()) {
    for (const auto& tag : images.names().TagsOf(pinned)) {
      const auto& tags = image.repo_tags();
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) image.add_repo_tags(tag);
    }
  }
}

std::string KeptNameOf(RuntimeImages& images, const std::string& text) {
  if (!images.translates() || trust::IsImageId(text)) return {};
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference || reference->digest()) return {};
  const auto digest = images.names().Find(reference->Canonical());
  return digest ? reference->PinnedTo(*digest) : std::string();
}

}  // namespace crivet::proxy

#include "proxy/tag_translation.h"

#include <algorithm>

namespace crivet::proxy {

void AddKeptTags(const ImageNames& names, ::runtime::v1::Image& image) {
  for (const auto& pinned : image.repo_digests()) {
    for (const auto& tag : names.TagsOf(pinned)) {
      const auto& tags = image.repo_tags();
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) image.add_repo_tags(tag);
    }
  }
}

std::string PinnedNameOf(const ImageNames& names, const std::string& text) {
  if (trust::IsImageId(text)) return {};
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference || reference->digest()) return {};
  const auto digest = names.Find(reference->Canonical());
  return digest ? reference->PinnedTo(*digest) : std::string();
}

}  // namespace crivet::proxy

#pragma once

#include "proxy/image_names.h"
#include "runtime/v1/api.pb.h"

namespace crivet::proxy {

/// AddKeptTags adds to `image` the tags that crivet keeps for its digests, where the runtime was
/// not able to take them (DESIGN 3: the same answers by translation).
void AddKeptTags(const ImageNames& names, ::runtime::v1::Image& image);

/// PinnedNameOf is `repository@sha256:…` for a tag that crivet keeps; empty for everything else.
std::string PinnedNameOf(const ImageNames& names, const std::string& text);

}  // namespace crivet::proxy

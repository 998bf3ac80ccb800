#pragma once

#include <string>

#include "proxy/runtime_images.h"
#include "runtime/v1/api.pb.h"

namespace crivet::proxy {

/// AddKeptTags adds to `image` the tags that crivet keeps for its digests, where the runtime was
/// not able to take them (DESIGN 3: the same answers by translation). Does nothing elsewhere.
void AddKeptTags(RuntimeImages& images, ::runtime::v1::Image& image);

/// KeptNameOf is `repository@sha256:…` for a tag that crivet keeps; empty for everything else.
std::string KeptNameOf(RuntimeImages& images, const std::string& text);

}  // namespace crivet::proxy

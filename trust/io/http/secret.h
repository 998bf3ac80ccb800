// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace crivet::trust {

/// Wipe overwrites a text before it lets go of it, in a way the compiler keeps.
void Wipe(std::string& text) noexcept;

/// Secret is a text that must not outlive its use: the memory is overwritten when the last copy
/// goes. It has no way into a stream or a log. Immutable; safe to share between threads.
class Secret {
 public:
  Secret() : Secret(std::string()) {}
  explicit Secret(std::string text);

  /// Lives as long as some copy of this Secret.
  std::string_view view() const { return *text_; }
  const char* c_str() const { return text_->c_str(); }
  bool empty() const { return text_->empty(); }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace crivet::trust

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace crivet::proxy {

/// A value of the configuration, or what is wrong with it in words that follow the key's name.
template <typename T>
using Valued = tl::expected<T, std::string>;

/// EditDistance counts the single-letter changes (insert, drop, replace, swap of neighbours)
/// between two words.
std::size_t EditDistance(std::string_view a, std::string_view b);

/// NearestWord is the candidate that a slip of the fingers would most likely have meant; empty
/// where none is near: more than a third of the letters would have to change, and neither word
/// begins with the other.
std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates);

/// ` (did you mean "x"?)` for NearestWord, or all candidates where none is near.
std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// ParseDuration reads `5m`, `30d`, `1h30m`, `0s`, `500ms`: whole numbers with the units d, h, m,
/// s, ms, each at most once, largest first. At most 100 years.
Valued<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// FormatDuration writes a duration as ParseDuration reads it: `1h30m`.
std::string FormatDuration(std::chrono::milliseconds duration);

/// CheckAbsolutePath accepts an absolute path without `.`, `..` or empty components and NUL; gives
/// it back. A socket's path must also fit the kernel's 107 bytes.
enum class PathUse : unsigned char { kFile, kSocket };
Valued<std::string> CheckAbsolutePath(const std::string& text, PathUse use);

/// CheckListenAddress accepts `127.0.0.1:9477` and `[::1]:9477`: a numeric address and a port.
Valued<std::string> CheckListenAddress(const std::string& text);

/// Whether an address that CheckListenAddress accepted is only reachable from this machine.
bool IsLoopbackAddress(std::string_view address);

/// CheckMethodPath accepts `/package.Service/Method`.
Valued<std::string> CheckMethodPath(const std::string& text);

/// CheckNamespaceGlob accepts the letters of a namespace's name and `*`.
Valued<std::string> CheckNamespaceGlob(const std::string& text);

/// CheckHostName accepts `host` or `host:port`; gives it back in lower case.
Valued<std::string> CheckHostName(const std::string& text);

}  // namespace crivet::proxy

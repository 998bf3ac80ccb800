// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>

#include "tests/integration/comparison/two_clients.h"

namespace crivet::trust {

/// RecordBook holds what the two clients answered to each question, by case and node.
class RecordBook {
 public:
  using Question = std::pair<std::string, std::string>;

  /// Nodes: `new` knows nothing, `warm` has verified the edition before, `again` is the warm one
  /// asking a second time. Asking the same twice is the test's mistake: std::logic_error.
  void Write(const std::string& named, const std::string& node, Answers answers);
  const std::map<Question, Answers>& entries() const { return entries_; }

  /// The lines of two tables, differences and agreements, as the page has them: a row names
  /// everything that is answered alike.
  std::string AsTables() const;

 private:
  std::map<Question, Answers> entries_;
};

/// What the page claims: the rows of its tables whose head begins with `| case | node |`. In the
/// first two columns a comma separates names; `expired {targets,root}` stands for two of them, and
/// `expired every role` for one of each role.
/// A line that cannot be read, or says something twice: std::runtime_error.
struct Claims {
  std::map<RecordBook::Question, Answers> differences;
  std::map<RecordBook::Question, Answers> agreements;
};
Claims ReadClaims(const std::string& page);

}  // namespace crivet::trust

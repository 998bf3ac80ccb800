// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/comparison/record_book.h"

#include <sstream>
#include <stdexcept>
#include <vector>

namespace crivet::trust {
namespace {

const std::string kEveryRole = "every role";
const std::string kRoles = "root,snapshot,targets,targets/releases,timestamp";

std::string Trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> Columns(const std::string& row) {
  std::vector<std::string> columns;
  std::istringstream cells(row.substr(1));
  for (std::string cell; std::getline(cells, cell, '|');) columns.push_back(Trimmed(cell));
  return columns;
}

// Splits at the commas that stand in no braces.
std::vector<std::string> Names(const std::string& cell) {
  std::vector<std::string> names(1);
  bool braced = false;
  for (const char c : cell) {
    if (c == '{' || c == '}') braced = c == '{';
    if (c == ',' && !braced) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  for (std::string& name : names) name = Trimmed(name);
  return names;
}

// `expired {targets,root}` as two names, `expired every role` as five.
std::vector<std::string> Expanded(const std::string& name) {
  if (const auto every = name.find(kEveryRole); every != std::string::npos) {
    std::string spelled = name;
    return Expanded(spelled.replace(every, kEveryRole.size(), "{" + kRoles + "}"));
  }
  const auto open = name.find('{');
  if (open == std::string::npos) return {name};
  const auto close = name.find('}', open);
  if (close == std::string::npos) throw std::runtime_error("a brace stays open: " + name);
  std::vector<std::string> all;
  for (const std::string& choice : Names(name.substr(open + 1, close - open - 1))) {
    for (std::string& rest : Expanded(name.substr(close + 1))) {
      all.push_back(name.substr(0, open) + choice + rest);
    }
  }
  return all;
}

void AddRow(const std::string& row, Claims& claims) {
  const std::vector<std::string> columns = Columns(row);
  if (columns.size() != 4 && columns.size() != 5) throw std::runtime_error("not a row: " + row);
  auto& table = columns.size() == 5 ? claims.differences : claims.agreements;
  for (const std::string& names : Names(columns[0])) {
    for (const std::string& named : Expanded(names)) {
      for (const std::string& node : Names(columns[1])) {
        const RecordBook::Question question{named, node};
        const bool is_first =
            !claims.differences.contains(question) && !claims.agreements.contains(question);
        if (!is_first) throw std::runtime_error("claimed twice: " + named + ", " + node);
        table.emplace(question, Answers{columns[2], columns[3]});
      }
    }
  }
}

// `expired targets` and `expired root` as one name.
std::string Joined(const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> kinds;  // in the order of their first name
  for (const std::string& name : names) {
    const auto space = name.rfind(' ');
    const std::string kind = space == std::string::npos ? name : name.substr(0, space);
    const std::string role = space == std::string::npos ? "" : name.substr(space + 1);
    if (kinds.empty() || kinds.back().first != kind) {
      kinds.emplace_back(kind, role);
    } else {
      kinds.back().second += "," + role;
    }
  }
  std::string out;
  for (const auto& [kind, roles] : kinds) {
    if (!out.empty()) out += ", ";
    out += kind;
    if (roles.empty()) continue;
    if (roles == kRoles) {
      out += " " + kEveryRole;
      continue;
    }
    out += roles.find(',') == std::string::npos ? " " + roles : " {" + roles + "}";
  }
  return out;
}

}  // namespace

void RecordBook::Write(const std::string& named, const std::string& node, Answers answers) {
  if (!entries_.emplace(Question{named, node}, std::move(answers)).second) {
    throw std::logic_error("asked twice: " + named + ", " + node);
  }
}

std::string RecordBook::AsTables() const {
  std::map<std::string, std::map<std::pair<std::string, std::string>, std::string>> nodes_of;
  std::map<std::tuple<bool, std::string, std::string, std::string>, std::vector<std::string>> rows;
  for (const auto& [question, answers] : entries_) {
    std::string& nodes = nodes_of[question.first][{answers.notary, answers.crivet}];
    nodes += (nodes.empty() ? "" : ", ") + question.second;
  }
  for (const auto& [named, by_answers] : nodes_of) {
    for (const auto& [answers, nodes] : by_answers) {
      const bool agree = Answers{answers.first, answers.second}.Agree();
      rows[{agree, answers.first, answers.second, nodes}].push_back(named);
    }
  }
  std::string out;
  for (const auto& [row, names] : rows) {
    const auto& [agree, notary, crivet, nodes] = row;
    out += "| " + Joined(names) + " | " + nodes + " | " + notary + " | " + crivet +
           (agree ? " |\n" : " | why |\n");
  }
  return out;
}

Claims ReadClaims(const std::string& readme) {
  Claims claims;
  std::istringstream lines(readme);
  bool in_table = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| case | node |")) {
      std::getline(lines, line);  // the rule below the head
      in_table = true;
    } else if (!line.starts_with('|')) {
      in_table = false;
    } else if (in_table) {
      AddRow(line, claims);
    }
  }
  return claims;
}

}  // namespace crivet::trust

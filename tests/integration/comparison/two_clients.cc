// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/comparison/two_clients.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/trust/signing_repository.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

struct Ended {
  int status = 0;
  std::string output;
};

Ended Run(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  Ended ended;
  std::array<char, 4096> buffer;
  while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) {
    ended.output.append(buffer.data(), n);
  }
  const int status = pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

std::string NameOf(const std::string& hex) {
  for (const char* text : {"old", "new", "of targets", "of the child", "evil"}) {
    if (ToHex(DigestOf(text).bytes()) == hex) return text;
  }
  return "digest " + hex;
}

bool IsDigest(const std::string& answer) {
  return !answer.starts_with("refused") && answer != "not there" && answer != "crash";
}

std::string AuthorityFile() { return std::string(std::getenv("CRIVET_TLS")) + "/ca.crt"; }

}  // namespace

bool Answers::Agree() const {
  if (IsDigest(notary) || IsDigest(crivet)) return notary == crivet;
  return notary != "crash";
}

TwoClients::TwoClients(std::string url, std::string gun, std::string root_key_id)
    : url_(std::move(url)), gun_(std::move(gun)), root_key_id_(std::move(root_key_id)) {
  Configure();
}

TwoClients::TwoClients(const TwoClients& other)
    : url_(other.url_),
      gun_(other.gun_),
      root_key_id_(other.root_key_id_),
      notary_pins_(other.notary_pins_) {
  for (const char* name : {"notary", "state"}) {
    if (!std::filesystem::exists(other.folder_ / name)) continue;
    std::filesystem::copy(other.folder_ / name, folder_ / name,
                          std::filesystem::copy_options::recursive);
  }
  Configure();
}

void TwoClients::Configure() const {
  std::filesystem::create_directory(folder_ / "state");
  std::ofstream(folder_ / "crivet.toml")
      << "state_dir = \"" << (folder_ / "state") << "\"\n"
      << "[default]\naction = \"deny\"\n"
      << "[trust.acme]\nkind = \"notary\"\nurl = \"" << url_ << "\"\nca_file = \""
      << AuthorityFile() << "\"\nauth = \"none\"\n"
      << "[[rule]]\nimages = [\"**\"]\naction = \"verify\"\ntrust = \"acme\"\n"
      << "root = { key_ids = [\"" << root_key_id_ << "\"] }\n";
  Json config = {{"trust_dir", folder_ / "notary"},
                 {"remote_server", {{"url", url_}, {"root_ca", AuthorityFile()}}}};
  if (notary_pins_) {
    config["trust_pinning"] = {{"disable_tofu", true}, {"certs", {{gun_, {root_key_id_}}}}};
  }
  std::ofstream(folder_ / "notary.json") << config;
}

void TwoClients::Pin(std::string root_key_id) {
  root_key_id_ = std::move(root_key_id);
  notary_pins_ = true;
  Configure();
}

void TwoClients::PlantInNotarysCache(const std::string& role, const std::string& bytes) const {
  const std::filesystem::path path =
      folder_.path() / "notary" / "tuf" / gun_ / "metadata" / (role + ".json");
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << bytes;
}

Answers TwoClients::Ask(const std::string& tag, Command command) const {
  // Side by side, as each waits for a server and for its own start.
  auto notary = std::async(std::launch::async, [&] { return AskNotary(tag, command); });
  Answers answers;
  answers.crivet = AskCrivet(tag);
  answers.notary = notary.get();
  return answers;
}

std::string TwoClients::AskNotary(const std::string& tag, Command command) const {
  const std::string notary = "notary -c " + (folder_ / "notary.json") + " ";
  const Ended ended =
      Run((command == Command::kLookup ? notary + "lookup " + gun_ + " " + tag
                                       : notary + "list " + gun_ + " -r targets/releases,targets") +
          " 2>&1");
  if (ended.output.find("goroutine ") != std::string::npos) return "crash";
  if (ended.status != 0) return "refused";
  std::istringstream lines(ended.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string hex;
    if (!(words >> name >> hex) || name != tag) continue;
    return NameOf(hex.substr(hex.find(':') + 1));
  }
  return "not there";
}

std::string TwoClients::AskCrivet(const std::string& tag) const {
  const Ended ended = Run("crivet verify --json --config " + (folder_ / "crivet.toml") + " " +
                          gun_ + ":" + tag + " 2>>" + (folder_ / "log"));
  const Json answer = Json::parse(ended.output, nullptr, false);
  if (answer.is_discarded()) return "crash";
  if (answer.at("verdict") != "allow") {
    return "refused (" + answer.at("reason").get<std::string>() + ")";
  }
  return NameOf(answer.at("digest").get<std::string>().substr(7));
}

}  // namespace crivet::trust

// SPDX-License-Identifier: Apache-2.0

// `[trust.*]`: where signed metadata comes from.
// Over 400 lines: one section, of which one key decides what the others may be.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proxy/config/config_files.h"
#include "proxy/config/config_sections.h"
#include "proxy/config/containerd_files.h"
#include "proxy/config/rule_keys.h"
#include "trust/base/limits.h"
#include "trust/decide/kind.h"
#include "trust/io/http/auth_file.h"
#include "trust/io/http/server_url.h"
#include "trust/signed/public_key.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using trust::TrustServer;

bool IsLabel(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

/// Reads one `[trust.*]`.
class ServerReader {
 public:
  ServerReader(TableReader& table, const std::string& label, const trust::Kinds& kinds,
               const std::string& upstream, OwnOfTrusts& own,
               std::vector<TrustRegistries>& registries, ConfigFindings& findings)
      : table_(table),
        kinds_(kinds),
        upstream_(upstream),
        own_(own),
        registries_(registries),
        findings_(findings) {
    server_.label = label;
    server_.auth = TrustServer::Auth::kFromPull;
  }

  TrustServer Read() {
    ReadKind();
    ReadOwn();
    ReadProxy();
    if (AsksRegistries()) {
      ReadRegistries();
    } else {
      ReadAddress();
      ReadTls();
      ReadPace();
    }
    ReadCredentials();
    if (const auto d = table_.Duration("timeout", milliseconds{100}, std::chrono::minutes{2})) {
      server_.timeout = d->value;
    }
    table_.Finish();
    return std::move(server_);
  }

 private:
  void ReadKind() {
    std::vector<std::string> names;
    for (const trust::Kind* kind : kinds_) names.emplace_back(kind->name());
    if (!table_.Has("kind")) {
      table_.Missing("kind", fmt::format("write kind = \"{}\"", fmt::join(names, "\", or \"")));
    }
    if (const auto word = table_.Word("kind", names)) {
      server_.kind = names[word->value];
      kind_ = kinds_[word->value];
    }
  }

  // What the kind has to say in a trust itself.
  void ReadOwn() {
    const trust::Kind* const kind = trust::FindKind(kinds_, server_.kind);
    if (kind == nullptr) return;
    for (const trust::Kind* other : kinds_) {
      const std::string files_key(other->files_url_key());
      if (kind->files_url_key().empty() && !files_key.empty()) {
        table_.Refuse(files_key, fmt::format("is of kind = \"{}\"", other->name()));
      }
      for (const std::string& key : other->trust_keys()) {
        if (std::find(kind->trust_keys().begin(), kind->trust_keys().end(), key) !=
            kind->trust_keys().end()) {
          continue;
        }
        table_.Refuse(key, fmt::format("is of kind = \"{}\", and this trust is of kind = \"{}\"",
                                       other->name(), kind->name()));
      }
    }
    RuleKeys keys(table_, findings_, RuleKeys::Verifies::kYes);
    const std::size_t before = findings_.set_aside();
    OwnOfTrust own{kind->ReadTrust(keys)};
    own.unusable = findings_.SetAsideSince(before);
    if (!own.unusable.empty()) own.demand = nullptr;
    own_.insert_or_assign(server_.label, std::move(own));
    may_be_folder_ = kind->MayBeFolder();
    takes_pull_secrets_ = kind->IsOfOneRepository();
    if (!takes_pull_secrets_) server_.auth = TrustServer::Auth::kNone;
  }

  bool AsksRegistries() const {
    return kind_ != nullptr && kind_->server() == trust::Kind::Server::kImageRegistry;
  }

  // The runtime's own files say all of the hosts that are asked.
  void ReadRegistries() {
    for (const char* key : {"url", "ca_file", "client_cert", "client_key", "insecure_http"}) {
      table_.Refuse(key, fmt::format("has no meaning for kind = \"{}\": each image's own registry "
                                     "is asked, as the hosts.toml files in registry_config say",
                                     server_.kind));
    }
    for (const char* key : {"refresh_interval", "max_refresh_rate", "max_targets_size"}) {
      table_.Refuse(key, fmt::format("has no meaning for kind = \"{}\": nothing is refreshed in "
                                     "the background",
                                     server_.kind));
    }
    if (auto folder = table_.Checked("bundles", [](const std::string& text) {
          return CheckAbsolutePath(text, PathUse::kFile);
        })) {
      server_.bundles = std::move(folder->value);
    }
    const bool own = table_.Has(kRegistryConfig);
    RegistryFolders where = own ? RegistryFolders{{}, kRegistryConfig} : RuntimesFolders();
    for (auto& folder : table_.EachChecked(kRegistryConfig, [](const std::string& text) {
           return CheckAbsolutePath(text, PathUse::kFile);
         })) {
      where.folders.push_back(std::move(folder.value));
    }
    server_.registry_config = where.folders;
    registries_.push_back({server_.label, std::move(where)});
  }

  // One look for all trusts, so that they go by the same.
  RegistryFolders RuntimesFolders() {
    for (const TrustRegistries& other : registries_) {
      if (other.where.said_by != kRegistryConfig) return other.where;
    }
    RegistryFolders found = RegistryFoldersOf(findings_.root(), upstream_);
    if (!found.doubt.empty()) {
      findings_.Warn(table_.at(), fmt::format("{}: whether containerd has its hosts.toml in {} is "
                                              "not known. registry_config says it",
                                              found.doubt, fmt::join(found.folders, ", ")));
    }
    return found;
  }

  void ReadProxy() {
    if (const auto proxy = table_.String("proxy"); proxy && !proxy->value.empty()) {
      if (const auto url = trust::ServerUrl::Parse(proxy->value)) {
        server_.proxy = url->text();
      } else {
        findings_.Wrong(proxy->at, fmt::format("\"proxy\" {}", url.error().detail));
      }
    }
  }

  void ReadAddress() {
    for (const char* key : {"registry_config", "bundles"}) {
      table_.Refuse(key, "is for kinds of trust that ask the images' registries");
    }
    if (const auto flag = table_.Bool("insecure_http")) server_.insecure_http = flag->value;
    if (!table_.Has("url")) table_.Missing("url", "the address of the server");
    server_.url = Address("url").value_or("");
    const std::string files_key(kind_ == nullptr ? "" : kind_->files_url_key());
    if (!files_key.empty() && !server_.url.empty()) {
      server_.files_url = Address(files_key).value_or(kind_->FilesBeside(server_.url));
    }
    if (server_.insecure_http) {
      findings_.Warn(
          table_.PositionOf("insecure_http"),
          "insecure_http = true: metadata and credentials cross the network in the open");
    }
  }

  // Nullopt where it is not there, or wrong.
  std::optional<std::string> Address(const std::string& key) {
    const auto text = table_.String(key);
    if (!text) return std::nullopt;
    const std::string_view scheme = trust::kFolderScheme;
    if (text->value.starts_with(scheme)) {
      const std::string folder = text->value.substr(scheme.size());
      const auto path = CheckAbsolutePath(folder, PathUse::kFile);
      if (!may_be_folder_) {
        findings_.Wrong(text->at,
                        fmt::format("\"{}\" must be https: this kind has no folders", key));
      } else if (!path || *path != folder || folder.ends_with('/')) {
        findings_.Wrong(
            text->at, fmt::format("\"{}\" must be file:// and the absolute path of a folder", key));
      } else {
        return text->value;
      }
      return std::nullopt;
    }
    const auto url = trust::ServerUrl::Parse(text->value);
    if (!url) {
      findings_.Wrong(text->at, fmt::format("\"{}\" {}", key, url.error().detail));
    } else if (!url->IsHttps() && !url->IsLoopback() && !server_.insecure_http) {
      findings_.Wrong(text->at,
                      fmt::format("\"{}\" must be https: plain http is for loopback addresses, "
                                  "elsewhere it needs insecure_http = true",
                                  key));
    } else {
      return url->text();
    }
    return std::nullopt;
  }

  void ReadTls() {
    ReadAuthorities();
    server_.client_cert = ReadClientCertificate();
    if (const auto file = File("client_key", Secrecy::kSecret)) {
      if (file->content && file->content->find("PRIVATE KEY-----") == std::string::npos) {
        WrongCredentials(file->path.at,
                         fmt::format("{} holds no private key in PEM form", file->path.value));
      }
      server_.client_key = file->path.value;
    }
    if (table_.Has("client_cert") != table_.Has("client_key")) {
      findings_.Wrong(table_.PositionOf(table_.Has("client_cert") ? "client_cert" : "client_key"),
                      "client_cert and client_key go together");
    }
  }

  void ReadCredentials() {
    if (const auto auth = table_.String("auth")) {
      if (auth->value == "none") {
        server_.auth = TrustServer::Auth::kNone;
      } else if (auth->value == "from-pull") {
        server_.auth = TrustServer::Auth::kFromPull;
        if (!takes_pull_secrets_) {
          findings_.Wrong(auth->at,
                          fmt::format("\"auth\": a trust of kind = \"{}\" speaks for many "
                                      "registries, so no pod's pull secret is for it: \"none\", or "
                                      "the absolute path of a Docker config.json",
                                      server_.kind));
        }
      } else if (!auth->value.starts_with('/')) {
        findings_.Wrong(auth->at,
                        "\"auth\" must be \"none\", \"from-pull\" or the absolute path "
                        "of a Docker config.json" +
                            SuggestionFor(auth->value));
      } else if (const auto file = File("auth", Secrecy::kSecret)) {
        server_.auth = TrustServer::Auth::kDockerConfig;
        server_.docker_config = file->path.value;
        if (file->content) ReadAuthFile(file->path, *file->content);
      }
    }
    // What was verified once restarts without anybody's credentials where signatures are kept.
    if (server_.auth == TrustServer::Auth::kFromPull && !AsksRegistries()) {
      findings_.Warn(table_.at(),
                     fmt::format("[trust.{}] takes credentials from pulls: a node that only "
                                 "restarts pods never sees any, so private repositories want auth "
                                 "to be the path of a Docker config.json",
                                 server_.label));
    }
    for (auto& host : table_.EachChecked("auth_hosts", CheckHostName)) {
      server_.auth_hosts.push_back(std::move(host.value));
    }
  }

  void ReadAuthFile(const Placed<std::string>& path, const std::string& content) {
    const auto doubts = trust::DoubtsOfAuthFile(content);
    if (!doubts) {
      WrongCredentials(path.at, fmt::format("\"auth\": {} {}", path.value, doubts.error().detail));
      return;
    }
    for (const std::string& doubt : *doubts) {
      findings_.Warn(path.at, fmt::format("\"auth\": {} {}", path.value, doubt));
    }
  }

  static std::string SuggestionFor(const std::string& word) {
    const std::string nearest = NearestWord(word, {"none", "from-pull"});
    return nearest.empty() ? "" : " (did you mean \"" + nearest + "\"?)";
  }

  void ReadPace() {
    using std::chrono::hours;
    using std::chrono::seconds;
    if (const auto d = table_.Duration("refresh_interval", seconds{1}, hours{24 * 30})) {
      server_.refresh_interval = std::chrono::duration_cast<seconds>(d->value);
    }
    if (const auto rate = table_.Number("max_refresh_rate", 0, 1000)) {
      server_.max_refresh_rate = rate->value;
    }
    constexpr std::int64_t kSmallest = 1024;
    if (const auto size =
            table_.Integer("max_targets_size", kSmallest,
                           static_cast<std::int64_t>(trust::Limits::kLargestTargetsBytes))) {
      server_.max_targets_size = static_cast<std::size_t>(size->value);
    }
  }

  /// A file with credentials. It is read again whenever it is used; its content here is for what
  /// can be said of it beforehand, and nothing where it cannot be read.
  struct CredentialsFile {
    Placed<std::string> path;
    std::optional<std::string> content;
  };

  std::optional<Placed<std::string>> PathIn(const std::string& key) {
    return table_.Checked(
        key, [](const std::string& text) { return CheckAbsolutePath(text, PathUse::kFile); });
  }

  std::optional<CredentialsFile> File(const std::string& key, Secrecy secrecy) {
    auto path = PathIn(key);
    if (!path) return std::nullopt;
    auto content = ReadFileUnder(findings_.root(), path->value, secrecy);
    if (content) return CredentialsFile{*std::move(path), *std::move(content)};
    WrongCredentials(path->at, fmt::format("\"{}\": {} {}", key, path->value, content.error()));
    return CredentialsFile{*std::move(path), std::nullopt};
  }

  // A daemon that is without them goes on with what it has verified.
  void WrongCredentials(TextPosition at, const std::string& what) {
    if (findings_.named().strictness() == Strictness::kWhole) {
      findings_.Wrong(at, what);
    } else {
      findings_.Warn(at, what);
    }
  }

  std::string ReadClientCertificate() {
    const auto file = File("client_cert", Secrecy::kPublic);
    if (!file) return {};
    const auto certificates = trust::CertificateSet::Parse(file->content.value_or(""));
    if (file->content && !certificates) {
      WrongCredentials(file->path.at, fmt::format("\"client_cert\": {} holds no certificate: {}",
                                                  file->path.value, certificates.error().detail));
    }
    return file->path.value;
  }

  void ReadAuthorities() {
    constexpr char kKey[] = "ca_file";
    const auto path = PathIn(kKey);
    if (!path) return;
    server_.ca_file = path->value;
    const auto content = findings_.named().Read(path->value);
    if (!content) {
      findings_.WrongFile(path->at, path->value,
                          fmt::format("\"{}\": {} {}", kKey, path->value, content.error()));
    } else if (const auto read = trust::CertificateSet::Parse(*content); !read) {
      findings_.WrongFile(path->at, path->value,
                          fmt::format("\"{}\": {} holds no certificate: {}", kKey, path->value,
                                      read.error().detail));
    } else {
      server_.authorities = *content;
    }
  }

  TableReader& table_;
  const trust::Kinds& kinds_;
  const std::string& upstream_;
  OwnOfTrusts& own_;
  std::vector<TrustRegistries>& registries_;
  ConfigFindings& findings_;
  TrustServer server_;
  bool takes_pull_secrets_ = true;
  bool may_be_folder_ = false;
  const trust::Kind* kind_ = nullptr;
};

}  // namespace

std::vector<trust::FileReader> ReadFilesOfTrusts(TableReader& top, const trust::Kinds& kinds,
                                                 const std::vector<TrustServer>& servers,
                                                 const OwnOfTrusts& own, ConfigFindings& findings) {
  std::vector<trust::FileReader> readers;
  const auto section = top.Table("trust");
  if (!section) return readers;
  for (const TomlMember& member : *section->value) {
    const auto of_reader = own.find(member.key);
    if (of_reader == own.end() || !of_reader->second.demand) continue;
    const auto labelled = [&](const std::string& label) {
      return std::find_if(servers.begin(), servers.end(),
                          [&](const TrustServer& server) { return server.label == label; });
    };
    const trust::Kind* const kind = trust::FindKind(kinds, labelled(member.key)->kind);
    if (kind == nullptr) continue;
    const auto wanted = kind->FileOf(*of_reader->second.demand);
    if (!wanted) continue;
    const auto wrong = [&](const std::string& what) {
      findings.Wrong(member.key_at, fmt::format("[trust.{}] reads {} of [trust.{}]: {}", member.key,
                                                wanted->name, wanted->trust, what));
    };
    const auto supplier = labelled(wanted->trust);
    if (supplier == servers.end()) {
      wrong("there is none");
      continue;
    }
    const trust::Kind* const theirs = trust::FindKind(kinds, supplier->kind);
    const auto of_supplier = own.find(supplier->label);
    const auto collection = theirs == nullptr ? std::nullopt : theirs->CollectionOfFiles();
    if (!collection) {
      wrong(fmt::format("a trust of kind = \"{}\" has no files", supplier->kind));
    } else if (of_supplier != own.end() && of_supplier->second.demand) {
      auto demand = theirs->DemandOfFile(of_supplier->second.demand, *wanted);
      if (!demand) {
        wrong(demand.error().detail);
      } else {
        readers.push_back({member.key, kind, of_reader->second.demand, supplier->label,
                           theirs->IdOf(supplier->url, *collection), wanted->name,
                           *std::move(demand)});
      }
    }
  }
  return readers;
}

std::vector<TrustServer> ReadServers(TableReader& top, const trust::Kinds& kinds,
                                     const std::string& upstream, OwnOfTrusts& own,
                                     std::vector<TrustRegistries>& registries,
                                     ConfigFindings& findings) {
  std::vector<TrustServer> servers;
  const auto section = top.Table("trust");
  if (!section) return servers;
  for (const TomlMember& member : *section->value) {
    const auto* table = std::get_if<TomlTable>(&member.value.value);
    if (!IsLabel(member.key)) {
      findings.Wrong(member.key_at, "a [trust.*] label is letters, digits, \"-\" and \"_\"");
    } else if (table == nullptr) {
      findings.Wrong(
          member.key_at,
          fmt::format("\"{}\" must stand in a section of its own, [trust.LABEL]", member.key));
    } else {
      TableReader reader(*table, member.value.at, fmt::format("[trust.{}]", member.key), findings);
      servers.push_back(
          ServerReader(reader, member.key, kinds, upstream, own, registries, findings).Read());
    }
  }
  return servers;
}

}  // namespace crivet::proxy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/one_registry.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "tests/support/trust_io/test_node.h"
#include "tests/support/trust_io/tuf_fleet.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust {

inline constexpr char kTufUrl[] = "https://tuf.acme.example/metadata";
inline constexpr char kTarget[] = "trusted_root.json";

/// A trusted root of the test data.
inline std::string TestRoot(const std::string& name) {
  return MemoryRegistry::TestData("trust/" + name);
}

/// KeylessNode is a node whose images of one repository are signed without keys; the authorities
/// are a target of a repository of TUF.
struct KeylessNode : TestNode {
  static inline const std::string kName = "127.0.0.1:5055/acme/web";

  KeylessNode() {
    AddServer("cosign", "").kind = std::string(SigstoreKind().name());
    TrustServer& settings = AddServer("roots", kTufUrl);
    settings.kind = std::string(TufKind().name());
    settings.auth = TrustServer::Auth::kNone;
    AddKind(&SigstoreKind());
    AddKind(&TufKind());
    SetFetcher("cosign", registry);
    SetFetcher("roots", tuf);
    registry->With([](MemoryRegistry& held) {
      held.Tag("1.0", MemoryRegistry::Image());
      held.PutBundle(MemoryRegistry::TestData("bundles/keyless-good.json"));
    });
    first_root = tuf->With([](TufPublisher& publisher) { return publisher.files["1.root.json"]; });
    Publish(TestRoot("trusted_root.json"));
    UseTarget();
    Start();
  }

  void Publish(const std::string& content, const std::string& also_served_as = "") {
    tuf->With([&](TufPublisher& publisher) {
      publisher.Sign("targets", kTarget, content);
      publisher.PublishEdition();
      const std::string served = also_served_as.empty() ? content : also_served_as;
      publisher.files[ToHex(Sha256Of(content)) + "." + kTarget] = served;
      publisher.asked.clear();
    });
  }

  SharedDemand KeylessRule() const {
    auto rule = std::make_shared<sigstore::SigstoreDemand>();
    sigstore::KeylessDemand keyless;
    keyless.identities.push_back(
        {sigstore::TextPattern::Parse("https://token.actions.example").value(),
         sigstore::TextPattern::Parse("https://git.acme.example/shop/web/**").value()});
    rule->image.signer.who = keyless;
    rule->image.signer.logs = 1;
    return rule;
  }

  // The trust of the images, whose authorities are the target.
  static std::shared_ptr<sigstore::SigstoreTrust> OwnTrust() {
    auto own = std::make_shared<sigstore::SigstoreTrust>();
    own->from = sigstore::RootFromTuf{"roots", kTarget};
    return own;
  }
  /// Whoever reads the target believes the repository so.
  static FileReader ReaderUnder(const SharedDemand& of_repository) {
    const auto own = OwnTrust();
    const WantedFile wanted = SigstoreKind().FileOf(*own).value();
    return {.trust = "cosign",
            .kind = &SigstoreKind(),
            .own = own,
            .supplier = "roots",
            .from = TufKind().IdOf(kTufUrl, "*"),
            .name = kTarget,
            .demand = TufKind().DemandOfFile(of_repository, wanted).value()};
  }
  Rule KeylessImages() const {
    Rule rule;
    rule.name = "keyless";
    rule.images = {ImagePattern::Parse("127.0.0.1:5055/**").value()};
    rule.action = Action::kVerify;
    rule.members = {
        {"cosign", "", &SigstoreKind(), SigstoreKind().Under(OwnTrust(), KeylessRule())}};
    return rule;
  }
  void UseTarget() {
    SetRules(std::vector<Rule>{KeylessImages()}, Rule{},
             {ReaderUnder(TufFleet::Pinned(first_root))});
  }

  std::string PullOf(const std::string& reference) { return Outcome(Pull(reference)); }
  std::string PresentOf() {
    Question question = Ask(by_digest);
    question.local = MemoryRegistry::Image();
    return Outcome(service().DecideNow(std::move(question)));
  }
  std::string AnotherImage() const {
    return kName + "@" + Sha256Digest(Sha256Of("another")).ToString();
  }
  bool Asked(const std::string& ending) {
    return tuf->With([&](TufPublisher& publisher) {
      return std::any_of(publisher.asked.begin(), publisher.asked.end(),
                         [&](const std::string& file) { return file.ends_with(ending); });
    });
  }
  // A refresh of the repository that somebody asks for by hand.
  bool Refreshed() {
    const RefreshOutcome outcome = service().Import(TufKind().IdOf(kTufUrl, "*"), Copy());
    return outcome && !outcome->file_failure;
  }
  // What the server has, as a folder.
  std::string Copy() {
    tuf->With([&](TufPublisher& publisher) {
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        std::filesystem::remove_all(entry.path());
      }
      std::filesystem::create_directories(folder / "metadata");
      std::filesystem::create_directories(folder / "targets");
      for (const auto& [name, content] : publisher.files) {
        const bool is_target = name.ends_with(kTarget);
        std::ofstream(folder / ((is_target ? "targets/" : "metadata/") + name), std::ios::binary)
            << content;
      }
    });
    return folder / "metadata";
  }
  std::shared_ptr<OneRegistry> registry = std::make_shared<OneRegistry>();
  std::shared_ptr<TufServer> tuf = std::make_shared<TufServer>();
  std::string first_root;
  TemporaryFolder folder;
  const std::string image = MemoryRegistry::Image().ToString();
  const std::string by_digest = kName + "@" + image;
};

}  // namespace crivet::trust

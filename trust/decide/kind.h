// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/base/limits.h"
#include "trust/base/result.h"
#include "trust/base/time.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/demand.h"
#include "trust/decide/evidence.h"
#include "trust/decide/image_pattern.h"
#include "trust/decide/key_reader.h"
#include "trust/decide/published_file.h"
#include "trust/decide/refresh.h"

namespace crivet::trust {

/// RuleDemand is what a kind reads out of one rule.
struct RuleDemand {
  SharedDemand demand;
  /// The name under which the rule's images are signed, where that is another than their own
  /// (trust/RULES.md#mirrors).
  std::optional<ImagePattern> signed_as;
};

/// AnchorText is the newest anchor of a collection for `crivet pin`: nobody has vouched for it.
struct AnchorText {
  std::vector<std::string> who;   ///< what it says of itself, for people
  std::vector<std::string> rule;  ///< the lines of a rule that pin it
  /// The lines of its `[trust.*]` that go with that, where it has any of its own.
  std::vector<std::string> trust = {};
};

/// Sighting asks for all that lies beside one image, and tells whom it names, for `crivet pin`. It
/// believes nothing and keeps nothing. Not thread-safe.
class Sighting {
 public:
  virtual ~Sighting() = default;
  /// To be driven to its end.
  virtual Refresh& refresh() = 0;
  /// After that, once: why there is nothing to tell, else what there is. `trust` is the label of
  /// the `[trust.*]` of the rule to paste.
  virtual Result<AnchorText> Text(const std::string& trust, TimePoint now) = 0;
};

/// Kind is one kind of trust, the value of `kind` in `[trust.*]`. All of it is pure: what it needs
/// of the world it asks for (Refresh). Stateless; safe to share between threads.
class Kind {
 public:
  virtual ~Kind() = default;

  virtual std::string_view name() const = 0;

  /// Where what is signed is asked for.
  enum class Server : std::uint8_t {
    kOwn,            ///< at the address that its `[trust.*]` has
    kImageRegistry,  ///< at each image's own registry: its `[trust.*]` has no address
  };
  virtual Server server() const { return Server::kOwn; }
  /// Whether a folder of this machine can take the place of a server: `file:///…`.
  virtual bool MayBeFolder() const { return false; }

  // Configuration.

  /// Keys of a rule that are this kind's own; all others are the rule's, or unknown.
  virtual const std::vector<std::string>& rule_keys() const = 0;
  /// The one of them that says under which name images are signed.
  virtual std::string_view signed_as_key() const = 0;
  /// Reads them. What is wrong is said through `keys`; the answer counts only where nothing was.
  virtual RuleDemand ReadDemand(KeyReader& keys) const = 0;

  /// Keys of `[trust.*]` that are this kind's own.
  virtual const std::vector<std::string>& trust_keys() const;
  /// Reads them, as ReadDemand reads a rule's; null: they say nothing.
  virtual SharedDemand ReadTrust(KeyReader& /*keys*/) const { return nullptr; }
  /// What a rule wants of that trust, both of them read.
  virtual SharedDemand Under(const SharedDemand& /*trust*/, SharedDemand rule) const {
    return rule;
  }
  /// What is wrong with a demand for images that those patterns match; empty: nothing.
  virtual std::string WrongFor(const Demand& /*demand*/,
                               const std::vector<ImagePattern>& /*images*/) const {
    return "";
  }
  /// Whether one collection is one repository's, so that a pod's own pull secret may be for it.
  virtual bool IsOfOneRepository() const { return true; }

  // Files that a trust of one kind reads out of a collection of another
  // (trust/RULES.md#files-of-another-trust).

  /// The one that a trust reads, `trust` being what ReadTrust gave; nullopt: none.
  virtual std::optional<WantedFile> FileOf(const Demand& /*trust*/) const { return std::nullopt; }
  /// The trust as it is with that file. Fails where WantedFile::check would.
  virtual Result<SharedDemand> WithFile(const SharedDemand& trust,
                                        const PublishedFile& /*file*/) const {
    return trust;
  }

  /// The key of `[trust.*]` that says below which address files lie; empty: this kind has none that
  /// others could read.
  virtual std::string_view files_url_key() const { return ""; }
  /// Where they lie by default.
  virtual std::string FilesBeside(const std::string& url) const { return url; }
  /// The collection that has a trust's files.
  virtual std::optional<std::string> CollectionOfFiles() const { return std::nullopt; }
  /// What is wanted of that collection by who reads a file of it, `trust` being what ReadTrust
  /// gave. kMalformed where there can be no file of that name.
  virtual Result<SharedDemand> DemandOfFile(const SharedDemand& trust,
                                            const WantedFile& /*file*/) const {
    return trust;
  }

  // Collections.

  /// The name of the collection in which an image of that name is signed; nullopt: there cannot be
  /// one. `signed_as` is a repository's full name, as written or as the rule maps it.
  virtual std::optional<std::string> CollectionFor(std::string_view signed_as) const = 0;
  /// The same under what a rule wants.
  virtual std::optional<std::string> CollectionUnder(const Demand& /*demand*/,
                                                     std::string_view signed_as) const {
    return CollectionFor(signed_as);
  }
  /// Whether CollectionUnder could give that name under that demand.
  virtual bool IsUnder(const Demand& /*demand*/, const std::string& /*name*/) const { return true; }
  /// Whether images that a rule maps to another name are looked for under it. Where not, that is
  /// the name which their signatures may bear, and they are looked for where the images are.
  virtual bool IsFoundAsSigned() const { return true; }
  /// Text that somebody typed, or that was stored, as a collection's name; nullopt: it is none.
  virtual std::optional<std::string> ParseName(std::string_view text) const = 0;
  /// The collection of that name of a trust with that address; of registries, the host of the name
  /// stands for it.
  CollectionId IdOf(const std::string& url, std::string name) const;
  /// The registry that is asked about the collection of that name beside its own, which stands for
  /// it (IdOf); empty: none.
  virtual std::string OtherRegistryOf(const std::string& /*name*/) const { return ""; }
  /// A file that every folder with a copy of a collection has.
  virtual std::string_view file_of_folders() const { return "root.json"; }
  /// The name of the collection in such a folder, by its place below the one that was named.
  virtual std::optional<std::string> NameOfFolder(std::string_view place) const {
    return ParseName(place);
  }
  /// Signatures that lie in a folder as files by themselves, `sha256-<hex of the image>ENDING`,
  /// beside those of JSON that says its media type: as what a registry would have each.
  struct LooseSignature {
    std::string_view ending;         ///< as ".sig"
    std::string_view artifact_type;  ///< of the manifest about it
    std::string_view media_type;     ///< of its layer
  };
  virtual std::vector<LooseSignature> LooseSignatures() const { return {}; }
  /// Whether images that the pattern matches may be signed in the collection of that name.
  virtual bool MayHold(const std::string& name, const ImagePattern& images) const = 0;

  // Refreshing.

  enum class Asks : std::uint8_t {
    kCollection,  ///< for all that the rules read of a collection
    kNamesToo,    ///< for that, and for a name where the set says so (Judgement::asks)
    kNames,       ///< for a name alone, where the set says so; nothing in the background
  };
  /// What a refresh is begun for.
  virtual Asks asks() const { return Asks::kCollection; }
  /// What is trusted of a collection of which nothing was ever fetched; null: nothing, and it has
  /// to be asked for. Never null where only names are asked for.
  virtual std::shared_ptr<const TrustedSet> Empty(const CollectionId& /*id*/) const {
    return nullptr;
  }
  virtual std::unique_ptr<Refresh> Begin(RefreshStart start) const = 0;
  /// Whether a stored file of that name is one of the anchors'.
  virtual bool IsAnchorFile(std::string_view stored_as) const = 0;
  /// The file to describe for `crivet pin`.
  virtual FileRequest AnchorRequest(const CollectionId& id, const Limits& limits) const = 0;

  // People.

  /// Fails where the file is no anchor that verifies by itself. `image` is the repository that the
  /// rule shall match, `trust` the label of its `[trust.*]`.
  virtual Result<AnchorText> DescribeAnchor(std::string file, const CollectionId& id,
                                            const std::string& image, const std::string& trust,
                                            TimePoint now) const = 0;
  /// What a registry has beside an image that says who signed it; null where that is not told.
  /// Precondition: `start.asked`.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): as Begin has it.
  virtual std::unique_ptr<Sighting> BeginSighting(RefreshStart /*start*/) const { return nullptr; }
  /// How the publisher signs that image, as a command.
  virtual std::string HowToSign(std::string_view image) const = 0;
  /// Names of parts that were asked and that nobody may sign, probably misspelt; empty: none.
  virtual std::string NobodySigns(const Evidence& judged) const = 0;
};

/// The kinds that a program knows. They live as long as it does.
using Kinds = std::vector<const Kind*>;

/// Null where there is none of that name.
const Kind* FindKind(const Kinds& kinds, std::string_view name);

}  // namespace crivet::trust

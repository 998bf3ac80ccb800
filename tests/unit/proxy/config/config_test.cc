// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "trust/notary/notary_demand.h"
#include "trust/sigstore/bundle.h"
#include "trust/sigstore/image_signature.h"
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::proxy {
namespace {

namespace bdata = boost::unit_test::data;

const std::string kKey(64, 'a');

// A file that is right, which rows of tables below make wrong in one point each.
const std::string kGood = R"([default]
action = "deny"

[trust.acme]
kind = "notary"
url = "https://notary.acme.example"
auth = "none"

[[rule]]
images = ["registry.acme.example/**"]
action = "verify"
trust = "acme"
root = { key_ids = [")" + kKey +
                          R"("] }
)";

std::string Errors(const std::string& text) {
  const auto config = ParseConfig(text, "f");
  if (config) return {};
  std::string all;
  for (const ConfigError& error : config.error()) all += error.ToString() + "\n";
  return all;
}

/// A folder with files, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "crivet-config-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string Write(const std::string& name, const std::string& content, mode_t mode) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << content;
    BOOST_REQUIRE(chmod(path.c_str(), mode) == 0);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Self-signed, CN=crivet test.
constexpr char kCertificate[] = R"(-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIULgKULVe0FMqJ6J7flakWutds7rMwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLY3JpdmV0IHRlc3QwIBcNMjYxMTI0MTE0OTI1WhgPMjEyNjEw
MzExMTQ5MjVaMBYxFDASBgNVBAMMC2NyaXZldCB0ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEz7wuyVhqpzFq+fR2wZJWQE0pKJg1TIps+GCd10CQw5kBHRdv
od1OHI0hEzGrOK2Ro+QINksfH9FzpXFddCf326NTMFEwHQYDVR0OBBYEFER4vmJG
owX44H7jSFmPU+1185DgMB8GA1UdIwQYMBaAFER4vmJGowX44H7jSFmPU+1185Dg
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKV8qpIL6ng9dA0V
47D9p4O0HsPp/rqMeHmn7qrBOuOrAiBJ3Z7of4Y3i/cp9Wj16GMmWEW0OmyqSZ+P
Kp0nTqj6mg==
-----END CERTIFICATE-----
)";

struct BadCase {
  const char* name;
  std::string text;
  std::string errors;
  friend std::ostream& operator<<(std::ostream& out, const BadCase& c) { return out << c.name; }
};

std::string With(const std::string& more) { return kGood + more; }

const std::vector<BadCase>& BadCases() {
  static const std::vector<BadCase> cases = {
      {"NotToml", "a = = 1\n", "f:1:5: "},
      {"EmptyFile", "",
       "f: [default] is missing: say what happens to a name that no rule matches, such as action = "
       "\"deny\"\n"},
      {"UnknownTopKey", "listne = \"/run/x.sock\"\n[default]\naction = \"deny\"\n",
       "f:1:1: unknown key \"listne\" (did you mean \"listen\"?)\n"},
      {"UnknownKeyInARule", With("colour = 1\n"),
       "f:14:1: unknown key \"colour\" in this [[rule]] (valid here: images, name, namespaces, "
       "action, mode, any_of, all_of, trust, root, roles, signers, grace, gun, present, "
       "present_max_age, until, reason)\n"},
      {"UnknownSection", "[gaet]\n[default]\naction = \"deny\"\n",
       "f:1:2: unknown key \"gaet\" (did you mean \"gate\"?)\n"},
      {"WrongType", "drain = 5\n[default]\naction = \"deny\"\n",
       "f:1:9: \"drain\" must be a string, not an integer\n"},
      {"BadDuration", "drain = \"5 s\"\n[default]\naction = \"deny\"\n",
       "f:1:9: \"drain\": \"5 s\" is not a duration such as \"5m\", \"30d\" or \"0s\"\n"},
      {"DurationOutOfRange", "drain = \"1d\"\n[default]\naction = \"deny\"\n",
       "f:1:9: \"drain\" must be between 0s and 10m\n"},
      {"RelativePath", "state_dir = \"lib/crivet\"\n[default]\naction = \"deny\"\n",
       "f:1:13: \"state_dir\" must be an absolute path\n"},
      {"SocketAsUrl",
       "upstream = \"unix:///run/containerd/containerd.sock\"\n[default]\naction = \"deny\"\n",
       "f:1:12: \"upstream\" must be a path, without \"unix://\": write "
       "\"/run/containerd/containerd.sock\"\n"},
      {"DottedPath", "state_dir = \"/var/../crivet\"\n[default]\naction = \"deny\"\n",
       "f:1:13: \"state_dir\" must be a plain absolute path, without \".\", \"..\" or empty "
       "components\n"},
      {"SocketPathTooLong",
       "listen = \"/" + std::string(107, 'x') + "\"\n[default]\naction = \"deny\"\n",
       "f:1:10: \"listen\" is longer than the 107 bytes that a socket's path may have\n"},
      {"ListenIsUpstream",
       "listen = \"/run/containerd/containerd.sock\"\n[default]\naction = \"deny\"\n",
       "f:1:1: \"listen\" and \"upstream\" are the same socket, /run/containerd/containerd.sock: "
       "crivet would call itself\n"},
      {"AdminIsUpstream",
       "admin = \"/run/c.sock\"\nupstream = \"/run/c.sock\"\n[default]\naction = \"deny\"\n",
       "f:2:1: \"admin\" and \"upstream\" are the same socket, /run/c.sock: crivet would call "
       "itself\n"},
      {"UnknownMode", "mode = \"enforec\"\n[default]\naction = \"deny\"\n",
       "f:1:8: \"mode\" cannot be \"enforec\" (did you mean \"enforce\"?)\n"},
      {"DefaultWithoutAction", "[default]\n",
       "f:1:1: \"action\" in [default] is missing: \"verify\", \"allow\" or \"deny\"\n"},
      {"DefaultWithImages", "[default]\naction = \"deny\"\nimages = []\n",
       "f:3:1: \"images\" in [default] has no meaning: the default is for every name that no rule "
       "matches\n"},
      {"DefaultVerifyWithoutTrust", "[default]\naction = \"verify\"\n",
       "f:1:1: \"trust\" in [default] is missing: the [trust.*] that action = \"verify\" asks\n"
       "f:1:1: \"root\" in [default] is missing: whom to believe; \"crivet pin IMAGE\" prints the "
       "line\n"},
      {"TrustWithoutKindAndUrl", "[default]\naction = \"deny\"\n[trust.a]\nauth = \"none\"\n",
       "f:3:1: \"kind\" in [trust.a] is missing: write kind = \"notary\", or \"tuf\", or "
       "\"sigstore\", or \"notation\"\n"
       "f:3:1: \"url\" in [trust.a] is missing: the address of the server\n"},
      {"PlainHttpToTheNetwork",
       "[default]\naction = \"deny\"\n[trust.a]\nkind = \"notary\"\nauth = \"none\"\nurl = "
       "\"http://notary.example\"\n",
       "f:6:7: \"url\" must be https: plain http is for loopback addresses, elsewhere it needs "
       "insecure_http = true\n"},
      {"UrlWithUser",
       "[default]\naction = \"deny\"\n[trust.a]\nkind = \"notary\"\nauth = \"none\"\nurl = "
       "\"https://u:p@notary.example\"\n",
       "f:6:7: \"url\" must be scheme, host, port and path alone: no user name, query, fragment, "
       "encoded or unusual character\n"},
      {"RelativeAuth",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"from-pul\"\n"),
       "f:17:8: \"auth\" must be \"none\", \"from-pull\" or the absolute path of a Docker "
       "config.json (did you mean \"from-pull\"?)\n"},
      {"MissingCaFile",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"none\"\nca_file = \"/nowhere/ca.crt\"\n"),
       "f:18:11: \"ca_file\": /nowhere/ca.crt cannot be read: No such file or directory\n"},
      {"TargetsSizeTooLarge",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"none\"\nmax_targets_size = 134217729\n"),
       "f:18:20: \"max_targets_size\" in [trust.b] must be between 1024 and 134217728\n"},
      {"RefreshRateZero",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"none\"\nmax_refresh_rate = 0\n"),
       "f:18:20: \"max_refresh_rate\" in [trust.b] must be above 0 and at most 1000\n"},
      {"RefreshRateNotANumber",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"none\"\nmax_refresh_rate = nan\n"),
       "f:18:20: \"max_refresh_rate\" in [trust.b] must be above 0 and at most 1000\n"},
      {"ClientCertWithoutKey",
       With("[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
            "\"none\"\nclient_cert = \"/nowhere\"\n"),
       "f:18:1: client_cert and client_key go together\n"
       "f:18:15: \"client_cert\": /nowhere cannot be read: No such file or directory\n"},
      {"RuleWithUnknownTrust",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = \"acmee\"\nroot = "
            "{ tofu = true }\n"),
       "f:17:9: there is no [trust.acmee] (did you mean \"acme\"?)\n"},
      {"EmptyRoot",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = "
            "\"acme\"\nroot = { tofu = false }\n"),
       "f:18:8: \"root\" must name whom to believe: at least one of key_ids, cert_file, ca_file, "
       "root_file, or tofu = true\n"},
      {"BadKeyId",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = "
            "\"acme\"\nroot = { key_ids = [\"1882EC\"], tofu = true }\n"),
       "f:18:21: \"key_ids\" in root: a key ID has 64 digits, and not 6: \"crivet pin IMAGE\" and "
       "\"notary key list\" print all of them\n"},
      {"KeyIdInCapitals",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = "
            "\"acme\"\nroot = { key_ids = [\"" +
            std::string(64, 'A') + "\"] }\n"),
       "f:18:21: \"key_ids\" in root: a key ID is written in lower case\n"},
      {"KeyIdAsDigest",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = "
            "\"acme\"\nroot = { key_ids = [\"sha256:00\"] }\n"),
       "f:18:21: \"key_ids\" in root: a key ID is written without \"sha256:\"\n"},
      {"UnknownRootKey",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"verify\"\ntrust = "
            "\"acme\"\nroot = { tofu = true, certfile = \"/x\" }\n"),
       "f:18:23: unknown key \"certfile\" in root (did you mean \"cert_file\"?)\n"},
      {"AllowWithRoot",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"allow\"\nroot = { tofu = true }\n"),
       "f:17:1: \"root\" in this [[rule]] has no meaning unless action = \"verify\"\n"},
      {"VerifyWithUntil", With("until = 2026-12-01T00:00:00Z\n"),
       "f:14:1: \"until\" in this [[rule]] has no meaning unless action = \"allow\"\n"},
      {"UntilWithoutZone",
       With("[[rule]]\nimages = [\"x.example/a\"]\naction = \"allow\"\nuntil = "
            "2026-12-01T00:00:00\n"),
       "f:17:9: \"until\" in this [[rule]] must be a date and time with a zone, such as "
       "2026-12-01T00:00:00Z, not a date or time without a zone\n"},
      {"RolesNotBelowTargets", With("roles = [\"snapshot\"]\n"),
       "f:14:10: \"roles\" must hold \"targets\" or roles below it, such as "
       "\"targets/releases\"\n"},
      {"RolesEmpty", With("roles = []\n"), "f:14:1: \"roles\" must not be empty\n"},
      {"SignerTwice", With("signers = [\"alice\", \"targets/alice\"]\n"),
       "f:14:21: \"signers\" names a role twice\n"},
      {"GunWithOtherWildcards", With("gun = \"other.example/*\"\n"),
       "f:14:7: \"gun\" must have the same wildcards in the same order as "
       "\"registry.acme.example/**\"\n"},
      {"MaxAgeWithCurrent", With("present = \"current\"\npresent_max_age = \"1d\"\n"),
       "f:15:1: \"present_max_age\" in this [[rule]] has no meaning with present = \"current\"\n"},
      {"NamespacesEmpty", With("namespaces = []\n"),
       "f:14:1: \"namespaces\" must not be empty: leave it out for a rule for all pods\n"},
      {"NamespaceGlobBad", With("namespaces = [\"Prod\"]\n"),
       "f:14:15: \"namespaces\" in this [[rule]]: \"Prod\" is not a namespace or a pattern such as "
       "\"prod-*\"\n"},
      {"RuleIsATable", "[default]\naction = \"deny\"\n[rule]\nimages = []\n",
       "f:3:1: \"rule\" must be an array of tables, written [[rule]], not a table\n"},
      {"AlsoForwardGatedOldApi",
       "[default]\naction = \"deny\"\n[gate]\nalso_forward = "
       "[\"/runtime.v1alpha2.ImageService/PullImage\"]\n",
       "f:4:17: \"also_forward\" in [gate]: "},
      {"AlsoForwardNotAPath", "[default]\naction = \"deny\"\n[gate]\nalso_forward = [\"Pull\"]\n",
       "f:4:17: \"also_forward\" in [gate]: must be a full method path, such as "
       "\"/package.Service/Method\"\n"},
      {"MetricsWithoutAddress", "[default]\naction = \"deny\"\n[metrics]\nlisten = \":9477\"\n",
       "f:4:10: \"listen\" in [metrics] must be a numeric address and a port, such as "
       "\"127.0.0.1:9477\" or \"[::1]:9477\"\n"},
      {"AuditRelative", "[default]\naction = \"deny\"\n[log]\naudit = \"audit.log\"\n",
       "f:4:9: \"audit\" in [log] must be \"journal\" or the absolute path of a file\n"},
      {"NonAsciiOutsideStrings", "[default]\naction = \"deny\"\n\xC3\xA9 = 1\n",
       "f:3:1: a character outside ASCII is only allowed in strings and comments\n"},
      {"StringInsideANumber", "a = 1\"\xEF\xB3\xBF\"\n", "f:1:6: a string cannot begin here\n"},
      {"StringInsideABareKey", "a'\xEF\xB3\xBF' = 1\n", "f:1:2: a string cannot begin here\n"},
      {"StringAfterANumbersDot", "a = [\n1.\"\xEF\xB3\xBF\"]\n",
       "f:2:3: a string cannot begin here\n"},
      {"StringInABracketInsideANumber", "a = -x.[\"\xEF\xB3\xBF\"]\n",
       "f:1:8: expected the end of the line\n"},
      {"StringInABraceInsideANumber", "a = 1{\"\xEF\xB3\xBF\"=1}\n",
       "f:1:6: expected the end of the line\n"},
      {"StringAfterASecondEqualSign", "a = -=\"\xEF\xB3\xBF\"\n",
       "f:1:6: expected the end of the line\n"},
      {"StringAfterAnEqualSignInsideANumberOfAnArray", "a = [\n-=\"\xEF\xB3\xBF\"]\n",
       "f:2:2: expected a comma or \"]\"\n"},
      {"StringAfterADateAndOneDigit", "a = [1979-05-27 0,\"\xEF\xB3\xBF\"]\n",
       "f:1:16: expected a T between a date and its time\n"},
      {"CommentAfterADateAndOneDigit", "a = 1979-05-27 0#\xEF\xB3\xBF\n",
       "f:1:15: expected a T between a date and its time\n"},
      {"NonAsciiAfterABackslash", "a = \"\"\"\\\xC3\xA9\"\"\"\n",
       "f:1:9: a character outside ASCII cannot follow a backslash\n"},
      {"NonAsciiAfterALineEndingBackslash", "a = \"\"\"\\\n \n \xC3\xA9\"\"\"\n",
       "f:3:2: a character outside ASCII cannot follow a backslash\n"},
      {"BracketsCrossed", "a = [}\n", "f:1:6: expected a value\n"},
      {"HeaderWithoutAName", "[=]\n", "f:1:2: expected a name\n"},
      {"ColumnsCountCharacters",
       "[default]\naction = \"deny\" # \xC3\xA9\xC3\xA9\nx = \"\xC3\xA9\" \xC3\xA9\n",
       "f:3:9: a character outside ASCII is only allowed in strings and comments\n"},
      {"TooManyDots",
       std::string("a") +
           [] {
             std::string dots;
             for (int i = 0; i < 65; ++i) dots += ".a";
             return dots;
           }() +
           " = 1\n",
       "f:1:130: too many dots on one line\n"},
      {"TwoRulesTie",
       With("[[rule]]\nname = \"again\"\nimages = "
            "[\"registry.acme.example/**\"]\naction = \"deny\"\n"),
       "f:14:1: "},
      {"TwoRulesOfOneName",
       With(
           "name = \"n\"\n[[rule]]\nname = \"n\"\nimages = [\"x.example/a\"]\naction = \"deny\"\n"),
       "f:15:1: the rule in line 9 is called \"n\" too\n"},
  };
  return cases;
}

BOOST_AUTO_TEST_SUITE(ConfigTest)

BOOST_AUTO_TEST_CASE(Good_File_GivesItsValues) {
  const auto config = ParseConfig(kGood, "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(kGood));
  BOOST_TEST(config->warnings.empty());
  BOOST_TEST(config->listen == "/run/crivet/crivet.sock");
  BOOST_TEST((config->drain == std::chrono::seconds{5}));
  BOOST_REQUIRE(config->servers.size() == 1U);
  BOOST_TEST(config->servers[0].url == "https://notary.acme.example");
  BOOST_REQUIRE(config->policy->rules().size() == 2U);
  const trust::Rule& rule = *config->policy->rules()[0];
  BOOST_TEST(rule.name == "registry.acme.example/**");
  BOOST_TEST((rule.action == trust::Action::kVerify));
  BOOST_TEST((rule.mode == trust::Mode::kEnforce));
  BOOST_REQUIRE(rule.members.size() == 1U);
  BOOST_TEST(rule.members[0].url == "https://notary.acme.example");
  const trust::NotaryDemand& demand = trust::AsNotary(*rule.members[0].demand);
  BOOST_REQUIRE(demand.roles.size() == 2U);
  BOOST_TEST(demand.roles[0].text() == "targets/releases");
  BOOST_TEST(demand.roles[1].text() == "targets");
  BOOST_TEST((rule.present_max_age == std::chrono::hours{24 * 30}));
  BOOST_TEST(config->policy->rules()[1]->is_default);
}

// An expectation that does not end in a newline is the beginning of the first error: the rest is
// the wording of a library or of another room.
BOOST_DATA_TEST_CASE(Bad_File_NamesPlaceAndMistake, bdata::make(BadCases())) {
  const std::string errors = Errors(sample.text);
  BOOST_TEST(!errors.empty());
  if (sample.errors.ends_with('\n')) {
    BOOST_TEST(errors == sample.errors);
  } else {
    BOOST_TEST(errors.substr(0, sample.errors.size()) == sample.errors);
  }
}

BOOST_AUTO_TEST_CASE(Bad_File_NamesEveryMistakeInOrder) {
  const std::string errors = Errors(
      "drain = 1\nstate = \"/x\"\n[default]\naction = \"alow\"\n[log]\nlevel = \"warning\"\n");
  BOOST_TEST(errors ==
             "f:1:9: \"drain\" must be a string, not an integer\n"
             "f:2:1: unknown key \"state\" (did you mean \"state_dir\"?)\n"
             "f:4:10: \"action\" in [default] cannot be \"alow\" (did you mean \"allow\"?)\n"
             "f:6:9: \"level\" in [log] cannot be \"warning\" (did you mean \"warn\"?)\n");
}

BOOST_AUTO_TEST_CASE(Mode_OfARule_WinsOverTheFiles) {
  const auto config = ParseConfig("mode = \"audit\"\n" + kGood +
                                      "[[rule]]\nimages = [\"x.example/a\"]\naction = \"deny\"\n"
                                      "mode = \"enforce\"\n",
                                  "f");
  BOOST_REQUIRE(config);
  BOOST_TEST((config->policy->rules()[0]->mode == trust::Mode::kAudit));
  BOOST_TEST((config->policy->rules()[1]->mode == trust::Mode::kEnforce));
}

BOOST_AUTO_TEST_CASE(Url_IsCanonical) {
  std::string text = kGood;
  text.replace(text.find("https://notary.acme.example"), 27,
               "HTTPS://Notary.Acme.Example:443/sub/");
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE(config);
  BOOST_TEST(config->servers[0].url == "https://notary.acme.example/sub");
}

BOOST_DATA_TEST_CASE(PlainHttp_ToLoopback_IsAccepted,
                     bdata::make({"http://127.0.0.1:5", "http://localhost:5", "http://[::1]:5"})) {
  std::string text = kGood;
  text.replace(text.find("https://notary.acme.example"), 27, sample);
  BOOST_TEST(Errors(text) == "");
}

BOOST_DATA_TEST_CASE(PlainHttp_ToNamesThatLookLikeLoopback_IsRefused,
                     bdata::make({"http://127.0.0.1.evil.example", "http://localhost.evil.example",
                                  "http://127.evil.example"})) {
  std::string text = kGood;
  text.replace(text.find("https://notary.acme.example"), 27, sample);
  BOOST_TEST(Errors(text).find("must be https") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Weakening_Options_AreWarnedOf) {
  std::string text = kGood;
  text.replace(text.find("https://notary.acme.example"), 27, "http://notary.acme.example");
  text.replace(text.find("auth = \"none\""), 13, "insecure_http = true");
  text.replace(text.find("{ key_ids"), text.size(), "{ tofu = true }\ngrace = \"3d\"\n");
  text +=
      "[[rule]]\nimages = [\"x.example/a\"]\naction = \"allow\"\nuntil = 2001-12-01T00:00:00Z\n"
      "[gate]\ncontainerd_api = \"all\"\nallow_checkpoint = true\n"
      "[metrics]\nlisten = \"0.0.0.0:9477\"\n";
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(text));
  const std::vector<std::string> expected = {
      "f:4:1: [trust.acme] takes credentials from pulls: a node that only restarts pods never sees "
      "any, so private repositories want auth to be the path of a Docker config.json",
      "f:7:1: insecure_http = true: metadata and credentials cross the network in the open",
      "f:13:10: tofu = true: the first root that this node meets is trusted, whoever made it",
      "f:14:9: grace = \"3d\": a server that is held back can hide a withdrawn tag for that long",
      "f:18:9: until = 2001-12-01T00:00:00Z is past: the rule does nothing",
      "f:20:18: containerd_api = \"all\": whoever may open the socket can run images past the "
      "rules",
      "f:21:20: allow_checkpoint = true: a checkpoint names a base image and a tag that nothing "
      "verifies",
      "f:23:10: the metrics can be read from the network, without a password",
  };
  BOOST_TEST(config->warnings == expected, boost::test_tools::per_element());
}

// The trust server belongs to somebody else than those registries.
BOOST_AUTO_TEST_CASE(PullSecrets_ThatAreNotSentToTheTrustServer_AreWarnedOf) {
  std::string text = kGood;
  text.replace(text.find("auth = \"none\"\n"), 14, "");
  text.replace(text.find("action = \"deny\""), 15,
               "action = \"verify\"\ntrust = \"acme\"\nroot = { key_ids = [\"" + kKey + "\"] }");
  const std::string rest =
      "action = \"verify\"\ntrust = \"acme\"\nroot = { key_ids = [\"" + kKey + "\"] }\n";
  text += "[[rule]]\nimages = [\"mirror.example/**\"]\ngun = \"docker.io/**\"\n" + rest +
          "[[rule]]\nimages = [\"other.example/x\", \"*/team/**\"]\n" + rest;
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(text));
  const std::string unsent = "pull secrets are not sent to [trust.acme] for ";
  const std::string remedy =
      "; where it wants credentials for them, set its auth to the path of a Docker config.json";
  BOOST_REQUIRE(config->warnings.size() == 4U);
  BOOST_TEST(config->warnings[0] == "f:1:1: " + unsent + "what no rule names" + remedy);
  BOOST_TEST(config->warnings[1].starts_with("f:6:1: [trust.acme] takes credentials from pulls"));
  BOOST_TEST(config->warnings[2] ==
             "f:17:1: " + unsent + "images that another name was signed for (gun)" + remedy);
  BOOST_TEST(config->warnings[3] ==
             "f:22:30: " + unsent + "\"*/team/**\", which names no registry" + remedy);
}

BOOST_AUTO_TEST_CASE(AuthFile_ThatGivesNothing_IsWarnedOf_AndNonsenseRefused) {
  const Folder folder;
  const auto with = [&](const std::string& content) {
    const std::string path = folder.Write("docker.json", content, 0600);
    std::string text = kGood;
    return text.replace(text.find("\"none\""), 6, '"' + path + '"');
  };
  const auto config = ParseConfig(with(R"({"auths":{"r.example":{}},"credsStore":"pass"})"), "f");
  BOOST_REQUIRE(config);
  BOOST_REQUIRE(config->warnings.size() == 3U);
  BOOST_TEST(config->warnings[0].find("has no credentials that can be used") != std::string::npos);
  BOOST_TEST(config->warnings[1].find("has an empty entry for r.example") != std::string::npos);
  BOOST_TEST(config->warnings[2].find("credsStore is not supported") != std::string::npos);
  const auto good = ParseConfig(with(R"({"auths":{"r.example":{"auth":"YTpi"}}})"), "f");
  BOOST_REQUIRE(good);
  BOOST_TEST(good->warnings.empty());
  BOOST_TEST(Errors(with("nonsense")).find("is not a Docker config.json") != std::string::npos);
}

// `crivet takeover` does not edit the file: it still names the path that crivet took.
BOOST_AUTO_TEST_CASE(InPlace_UpstreamIsWhereTheRuntimeWasMovedTo) {
  const Place place{.moved_upstream = "/run/containerd/upstream.sock"};
  const std::string text = "upstream = \"/run/containerd/containerd.sock\"\n" + kGood;
  const auto config = ParseConfig(text, "f", place);
  BOOST_REQUIRE(config);
  BOOST_TEST(config->upstream == "/run/containerd/upstream.sock");
  BOOST_TEST((config->gate.containerd_api == ContainerdApi::kObserve));
  BOOST_TEST((ParseConfig(text, "f")->gate.containerd_api == ContainerdApi::kNone));
}

BOOST_AUTO_TEST_CASE(InPlace_WhatTheFileSaysOfContainerdsApi_Wins) {
  const Place place{.moved_upstream = "/run/containerd/upstream.sock"};
  const auto none = ParseConfig(kGood + "[gate]\ncontainerd_api = \"none\"\n", "f", place);
  BOOST_REQUIRE(none);
  BOOST_TEST((none->gate.containerd_api == ContainerdApi::kNone));
  BOOST_REQUIRE(none->warnings.size() == 1U);
  BOOST_TEST(none->warnings[0].find("cAdvisor finds no containers") != std::string::npos);
  const auto other = ParseConfig(kGood + "[gate]\nallow_checkpoint = false\n", "f", place);
  BOOST_REQUIRE(other);
  BOOST_TEST((other->gate.containerd_api == ContainerdApi::kObserve));
}

BOOST_AUTO_TEST_CASE(InPlace_AnotherSocketWhereTheRuntimeWasMovedTo_IsRefused) {
  const auto config = ParseConfig("admin = \"/run/x.sock\"\n" + kGood, "f", {"/run/x.sock"});
  BOOST_REQUIRE(!config);
  BOOST_TEST(
      config.error().front().what ==
      "\"admin\" and \"upstream\" are the same socket, /run/x.sock: crivet would call itself");
}

BOOST_AUTO_TEST_CASE(AdminSocket_IsFoundInAFileThatIsWrongElsewhere) {
  const Folder folder;
  const auto of = [&](const std::string& text) {
    return AdminSocketOf(folder.Write("config.toml", text, 0644));
  };
  BOOST_TEST(of("listne = 1\nadmin = \"/run/mine.sock\"\n") == "/run/mine.sock");
  BOOST_TEST(of("admin = 1\n") == "/run/crivet/admin.sock");
  BOOST_TEST(of("admin = \"mine.sock\"\n") == "/run/crivet/admin.sock");
  BOOST_TEST(of("not TOML") == "/run/crivet/admin.sock");
  BOOST_TEST(AdminSocketOf("/nowhere/config.toml") == "/run/crivet/admin.sock");
}

BOOST_AUTO_TEST_CASE(Files_AreRead) {
  const Folder folder;
  const std::string certificate = folder.Write("c.pem", kCertificate, 0644);
  const std::string root = folder.Write("root.json", "{}", 0644);
  std::string text = kGood;
  text.replace(text.find("{ key_ids"), text.size(),
               "{ cert_file = \"" + certificate + "\", root_file = \"" + root + "\" }\n");
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(text));
  const trust::RootPin& pin = trust::AsNotary(*config->policy->rules()[0]->members[0].demand).root;
  BOOST_TEST(pin.certificates.certificates().size() == 1U);
  BOOST_TEST(pin.authorities.empty());
  BOOST_TEST(pin.root_file == "{}");
}

BOOST_AUTO_TEST_CASE(CertificateFile_WithoutCertificate_IsAnError) {
  const Folder folder;
  const std::string path = folder.Write("c.pem", "nothing", 0644);
  std::string text = kGood;
  text.replace(text.find("{ key_ids"), text.size(), "{ cert_file = \"" + path + "\" }\n");
  BOOST_TEST(Errors(text).find("f:13:22: \"cert_file\": " + path + " holds no certificate: ") ==
             0U);
}

BOOST_AUTO_TEST_CASE(SecretFile_OpenToEverybody_IsAnError) {
  const Folder folder;
  const std::string path = folder.Write("config.json", "{}", 0644);
  std::string text = kGood;
  text.replace(text.find("\"none\""), 6, "\"" + path + "\"");
  BOOST_TEST(Errors(text) == "f:7:8: \"auth\": " + path +
                                 " holds a secret and is open to everybody: chmod o= that file\n");
  BOOST_REQUIRE(chmod(path.c_str(), 0640) == 0);
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(text));
  BOOST_TEST((config->servers[0].auth == trust::TrustServer::Auth::kDockerConfig));
  BOOST_TEST(config->servers[0].docker_config == path);
}

BOOST_AUTO_TEST_CASE(Socket_ThroughASymbolicLink_IsTheSameSocket) {
  const Folder folder;
  BOOST_REQUIRE(symlink(folder.path().c_str(), (folder.path() + "/link").c_str()) == 0);
  const std::string text = "listen = \"" + folder.path() + "/s\"\nupstream = \"" + folder.path() +
                           "/link/s\"\n[default]\naction = \"deny\"\n";
  BOOST_TEST(Errors(text).find("f:2:1: \"listen\" and \"upstream\" are the same socket") == 0U);
}

BOOST_AUTO_TEST_CASE(WithoutADaemon_PullsAreRefusedUnlessTheFileSaysOtherwise) {
  const Folder folder;
  const auto of = [&](const std::string& text) {
    return WithoutDaemonOf(folder.Write("config.toml", text, 0644));
  };
  BOOST_CHECK(of(kGood) == WithoutDaemon::kRefuse);
  const std::string allow = "[gate]\nimage_verifier_without_daemon = \"allow\"\n";
  BOOST_CHECK(of(kGood + allow) == WithoutDaemon::kAllow);
  BOOST_CHECK(of("listne = 1\n" + allow) == WithoutDaemon::kAllow);
  for (const char* text :
       {"", "= 1", "gate = 1\n", "[gate]\nimage_verifier_without_daemon = true\n",
        "image_verifier_without_daemon = \"allow\"\n",
        "[gate]\nimage_verifier_without_daemon = \"refuse\"\n"}) {
    BOOST_CHECK(of(text) == WithoutDaemon::kRefuse);
  }
  BOOST_CHECK(WithoutDaemonOf("/nowhere/config.toml") == WithoutDaemon::kRefuse);
  const auto config = ParseConfig(kGood + allow, "f");
  BOOST_REQUIRE(config);
  BOOST_CHECK(config->gate.image_verifier_without_daemon == WithoutDaemon::kAllow);
  const std::vector<std::string> warned = {
      "f:15:33: image_verifier_without_daemon = \"allow\": whoever stops crivet can pull anything"};
  BOOST_TEST(config->warnings == warned, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Load_OfAMissingFile_SaysSo) {
  const auto config = LoadConfig("/nowhere/config.toml");
  BOOST_REQUIRE(!config);
  BOOST_TEST(config.error().at(0).ToString() ==
             "/nowhere/config.toml: cannot be read: No such file or directory");
}

BOOST_AUTO_TEST_CASE(Nesting_BeyondTheCap_IsAnError) {
  BOOST_TEST(!Errors("a = " + std::string(5000, '[') + "\n").empty());
}

BOOST_AUTO_TEST_CASE(Rule_ThatMoreSpecificOnesLeaveNoName_IsWarnedOf) {
  const auto rule = [](const std::string& images) {
    return "[[rule]]\nimages = [\"" + images + "\"]\naction = \"deny\"\n";
  };
  const auto config =
      ParseConfig(kGood + rule("x.example/**") + rule("x.example/*") + rule("x.example/*/**"), "f");
  BOOST_REQUIRE(config);
  const std::vector<std::string> expected = {
      "f:14:1: rule \"x.example/**\" never matches: more specific rules cover all its names"};
  BOOST_TEST(config->warnings == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Conflicts_AreAllNamed) {
  std::string text = kGood;
  for (int i = 0; i < 2; ++i) {
    text += "[[rule]]\nname = \"r" + std::to_string(i) +
            "\"\nimages = [\"registry.acme.example/**\"]\naction = \"deny\"\n";
  }
  const auto config = ParseConfig(text, "f");
  BOOST_REQUIRE(!config);
  BOOST_REQUIRE(config.error().size() == 2U);
  BOOST_TEST(config.error()[0].line == 14U);
  BOOST_TEST(config.error()[1].line == 18U);
}

std::string WithRule(const std::string& trusts) {
  return "[default]\naction = \"deny\"\n[trust.a]\nkind = \"notary\"\nurl = \"https://a.example\"\n"
         "auth = \"none\"\n[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = "
         "\"none\"\n[[rule]]\nimages = [\"r.example/**\"]\naction = \"verify\"\n" +
         trusts;
}

const std::string kMemberA = "{ trust = \"a\", root = { tofu = true } }";
const std::string kMemberB = "{ trust = \"b\", root = { tofu = true }, roles = [\"targets\"] }";

BOOST_AUTO_TEST_CASE(AnyOf_And_AllOf_HaveTheirMembersInTheOrderOfTheFile) {
  for (const auto& [key, combine] :
       {std::pair{"any_of", trust::Combine::kAnyOf}, std::pair{"all_of", trust::Combine::kAllOf}}) {
    const std::string text =
        WithRule(std::string(key) + " = [" + kMemberB + ", " + kMemberA + "]\n");
    const auto config = ParseConfig(text, "f");
    BOOST_REQUIRE_MESSAGE(config, Errors(text));
    const trust::Rule& rule = *config->policy->rules()[0];
    BOOST_TEST((rule.combine == combine));
    BOOST_REQUIRE(rule.members.size() == 2U);
    BOOST_TEST(rule.members[0].trust == "b");
    BOOST_TEST(trust::AsNotary(*rule.members[0].demand).roles.size() == 1U);
    BOOST_TEST(rule.members[1].trust == "a");
    BOOST_TEST(trust::AsNotary(*rule.members[1].demand).roles.size() == 2U);
  }
}

BOOST_AUTO_TEST_CASE(SeveralTrusts_Mistakes_AreNamed) {
  const std::string both = "any_of = [" + kMemberA + ", " + kMemberB + "]\n";
  BOOST_TEST(Errors(WithRule("any_of = [" + kMemberA + "]\n")).find("at least two") !=
             std::string::npos);
  BOOST_TEST(
      Errors(WithRule(both + "all_of = [" + kMemberA + ", " + kMemberB + "]\n")).find("not both") !=
      std::string::npos);
  BOOST_TEST(Errors(WithRule(both + "trust = \"a\"\n")).find("belongs into each member") !=
             std::string::npos);
  BOOST_TEST(Errors(WithRule(both + "roles = [\"targets\"]\n")).find("belongs into each member") !=
             std::string::npos);
  BOOST_TEST(
      Errors(WithRule("any_of = [" + kMemberA + ", { trust = \"c\", root = { tofu = true } }]\n"))
          .find("there is no [trust.c]") != std::string::npos);
  BOOST_TEST(
      Errors(WithRule("any_of = [" + kMemberA + ", { trust = \"b\", rot = 1 }]\n")).find("rot") !=
      std::string::npos);
}

// What is wrong with a trust of kind "tuf", or a rule of it: lines beside a good root.
struct WrongTuf {
  const char* name;
  std::string trust;
  std::string rule;
  std::string said;  ///< somewhere in what is said; empty: nothing is wrong
  friend std::ostream& operator<<(std::ostream& out, const WrongTuf& row) {
    return out << row.name;
  }
};

const std::string kTufRoot =
    "root = { root_file = \"" + std::string(CRIVET_TEST_DATA) + "/tuf/root.json\" }\n";
const std::string kTufImages = "images = [\"x.example/**\"]\n";

const std::vector<WrongTuf> kWrongTuf = {
    {"Nothing", kTufRoot, kTufImages, ""},
    {"NothingWithAllKeys", kTufRoot + "max_delegations = 8\nauth = \"none\"\n",
     kTufImages + "target = \"images/{path}:{tag}\"\ndigest_target = \"\"\nroles = [\"shop\"]\n"
                  "signers = [\"audit\"]\ngrace = \"1h\"\n",
     ""},
    {"NoRoot", "", kTufImages, "\"root\" in [trust.b] is missing: whom to believe"},
    {"NothingWithARootByKeyId", "root = { key_ids = [\"" + kKey + "\"] }\n", kTufImages, ""},
    {"NothingWithARootOnFirstUse", "root = { tofu = true }\n", kTufImages, ""},
    {"RootByCertificate", "root = { ca_file = \"/etc/passwd\" }\n", kTufImages,
     "\"ca_file\" is not for this kind: its keys have no certificates. root_file or key_ids"},
    {"RootByNothing", "root = { tofu = false }\n", kTufImages,
     "at least one of root_file, key_ids, or tofu = true"},
    {"RootByNoKeyId", "root = { key_ids = [\"sha256:00\"] }\n", kTufImages,
     "a key ID is written without \"sha256:\""},
    {"RootThatIsNone", "root = { root_file = \"/etc/passwd\" }\n", kTufImages,
     "\"root_file\": /etc/passwd holds no root that verifies"},
    {"RootInTheRule", kTufRoot, kTufImages + kTufRoot,
     "\"root\" in this [[rule]] is of kind = \"notary\""},
    {"PullSecrets", kTufRoot + "auth = \"from-pull\"\n", kTufImages,
     "no pod's pull secret is for it"},
    {"TooManyDelegations", kTufRoot + "max_delegations = 257\n", kTufImages,
     "\"max_delegations\" in [trust.b] must be between 1 and 256"},
    {"NothingWithAMirror", kTufRoot,
     "images = [\"x.example/**\", \"y.example/**\"]\ngun = \"z.example/**\"\n"
     "target = \"{path}:{tag}\"\ndigest_target = \"\"\n",
     ""},
    {"MirrorWithOtherWildcards", kTufRoot, kTufImages + "gun = \"y.example/*\"\n",
     "\"gun\" must have the same wildcards in the same order as"},
    {"MirrorThatIsNoName", kTufRoot, kTufImages + "gun = \"Y.example:x/**\"\n", "\"gun\": "},
    {"OneTargetForTwoMirroredRegistries", kTufRoot,
     "images = [\"x.example/*/**\"]\ngun = \"*/**\"\ntarget = \"{path}:{tag}\"\n",
     "two images could have one target"},
    {"TargetWithoutTag", kTufRoot, kTufImages + "target = \"{name}\"\n",
     "\"target\" must end with {tag}"},
    {"TargetWithTagAfterADash", kTufRoot, kTufImages + "target = \"{name}-{tag}\"\n",
     "\"target\" must have \":\" or \"/\" right before {tag}"},
    {"TargetWithoutName", kTufRoot, kTufImages + "target = \"web:{tag}\"\n",
     "\"target\" must hold {name} once"},
    {"TargetWithHostAndPathTogether", kTufRoot, kTufImages + "target = \"{host}{path}:{tag}\"\n",
     "\"target\" must have \"/\" right after {host}"},
    {"TargetWithAnotherPlaceholder", kTufRoot, kTufImages + "target = \"{name}{arch}:{tag}\"\n",
     "\"target\" holds a placeholder"},
    {"DigestTargetAfterASlash", kTufRoot, kTufImages + "digest_target = \"{name}/{digest}\"\n",
     "\"digest_target\" must have \"@\" right before {digest}"},
    {"OneTargetForTwoRegistries", kTufRoot,
     "images = [\"x.example/**\", \"y.example/**\"]\ntarget = \"{path}:{tag}\"\n",
     "two images could have one target"},
    {"OneTargetForAllRegistries", kTufRoot, "images = [\"*/acme\"]\ntarget = \"{path}:{tag}\"\n",
     "two images could have one target"},
    {"TopLevelSigner", kTufRoot, kTufImages + "signers = [\"targets\"]\n",
     "\"signers\" must hold names of delegated roles"},
};

BOOST_DATA_TEST_CASE(Tuf_WhatIsWrong_IsNamed, bdata::make(kWrongTuf), row) {
  const std::string said =
      Errors(With("[trust.b]\nkind = \"tuf\"\nurl = \"https://b.example/metadata\"\n" + row.trust +
                  "[[rule]]\naction = \"verify\"\ntrust = \"b\"\n" + row.rule));
  if (row.said.empty()) {
    BOOST_TEST(said.empty(), said);
  } else {
    BOOST_TEST(said.find(row.said) != std::string::npos, said);
  }
}

BOOST_AUTO_TEST_CASE(Tuf_RootOfATrustOfAnotherKind_IsRefused) {
  const std::string said = Errors(With(
      "[trust.b]\nkind = \"notary\"\nurl = \"https://b.example\"\nauth = \"none\"\n" + kTufRoot));
  BOOST_TEST(said.find("\"root\" in [trust.b] is of kind = \"tuf\"") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(Tuf_FolderInPlaceOfAServer_IsForThatKindAlone) {
  const auto said = [](const std::string& kind, const std::string& url) {
    return Errors(With("[trust.b]\nkind = \"" + kind + "\"\nauth = \"none\"\nurl = \"" + url +
                       "\"\n" + (kind == "tuf" ? kTufRoot : "")));
  };
  BOOST_TEST(said("tuf", "file:///srv/tuf").empty(), said("tuf", "file:///srv/tuf"));
  BOOST_TEST(!said("tuf", "file://srv/tuf").empty());
  BOOST_TEST(!said("tuf", "file:///srv/../tuf").empty());
  BOOST_TEST(!said("tuf", "file:///srv/tuf/").empty());
  BOOST_TEST(!said("notary", "file:///srv/tuf").empty());
}

constexpr char kPublicKey[] = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcwvYi5Tk2hoc47lIlQ5hm09WXBv0
ADDpcRkvcBvmQwSk4birTHXgM0Wwgd9FbZ/VmkHhXhozNC3PPbyHZOwrqw==
-----END PUBLIC KEY-----
)";

/// A file that names a trust without an address, whose rule may be made wrong.
struct RegistryFile {
  Folder folder;
  std::string key = folder.Write("key.pub", kPublicKey, 0644);
  std::string section;
  std::string rule = "trust = \"cosign\"\nkeys = [\"" + key + "\"]\n";

  std::string Text() const {
    return "[default]\naction = \"deny\"\n[trust.cosign]\nkind = \"sigstore\"\n" + section +
           "[trust.acme]\nkind = \"notary\"\nurl = \"https://n.example\"\nauth = \"none\"\n"
           "[[rule]]\nimages = [\"r.example/**\", \"*/any/**\"]\naction = \"verify\"\n" +
           rule +
           "[[rule]]\nimages = [\"n.example/**\"]\naction = \"verify\"\ntrust = \"acme\"\nroot = "
           "{ tofu = true }\n";
  }
};

BOOST_AUTO_TEST_CASE(ImageRegistries_AreAskedWithoutAnAddress_AndNoSecretIsKeptFromThem) {
  RegistryFile file;
  const auto config = ParseConfig(file.Text(), "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
  const auto server = std::find_if(config->servers.begin(), config->servers.end(),
                                   [](const auto& each) { return each.label == "cosign"; });
  BOOST_TEST(server->url.empty());
  BOOST_TEST(server->registry_config == std::vector<std::string>{"/etc/containerd/certs.d"},
             boost::test_tools::per_element());
  BOOST_TEST((server->auth == trust::TrustServer::Auth::kFromPull));
  for (const std::string& warning : config->warnings) {
    BOOST_TEST(warning.find("tofu") != std::string::npos, warning);
  }
  file.section = "registry_config = [\"/a\", \"/b\"]\ntimeout = \"2s\"\nbundles = \"/c\"\n";
  const auto other = ParseConfig(file.Text(), "f");
  BOOST_REQUIRE_MESSAGE(other, Errors(file.Text()));
  BOOST_TEST(other->servers.front().bundles + other->servers.back().bundles == "/c");
  BOOST_TEST(other->servers.front().registry_config.size() +
                 other->servers.back().registry_config.size() ==
             2U);
}

BOOST_AUTO_TEST_CASE(RegistryConfig_IsWhatContainerdsFilesSay_UnlessTheTrustSaysItItself) {
  RegistryFile file;
  file.rule = "trust = \"cosign\"\nkeys = [\"/key.pub\"]\n";
  std::filesystem::create_directories(file.folder.path() + "/etc/containerd");
  std::ofstream(file.folder.path() + "/etc/containerd/config.toml")
      << "[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/a:/b\"\n";
  const auto said = [&] {
    const auto config = ParseConfig(file.Text(), "f", Place{.root = file.folder.path()});
    BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
    BOOST_REQUIRE(config->registries.size() == 1U);
    const RegistryFolders& where = config->registries.front().where;
    BOOST_TEST(config->registries.front().trust == "cosign");
    for (const auto& server : config->servers) {
      if (server.label == "cosign") BOOST_TEST((server.registry_config == where.folders));
    }
    std::string text = where.said_by + ":";
    for (const std::string& folder : where.folders) text += " " + folder;
    return text;
  };
  BOOST_TEST(said() == "/etc/containerd/config.toml: /a /b");
  file.section = "registry_config = [\"/c\"]\n";
  BOOST_TEST(said() == "registry_config: /c");
  file.section = "registry_config = []\n";
  BOOST_TEST(said() == "registry_config:");
}

BOOST_AUTO_TEST_CASE(RegistryConfig_WhereContainerdsFilesCannotBeRead_IsWarnedOfOnce) {
  RegistryFile file;
  file.rule = "trust = \"cosign\"\nkeys = [\"/key.pub\"]\n";
  file.section = "[trust.other]\nkind = \"sigstore\"\n";
  std::filesystem::create_directories(file.folder.path() + "/etc/containerd");
  std::ofstream(file.folder.path() + "/etc/containerd/config.toml") << "=";
  const auto config = ParseConfig(file.Text(), "f", Place{.root = file.folder.path()});
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
  BOOST_TEST(std::count_if(config->warnings.begin(), config->warnings.end(), [](const auto& line) {
               return line.find("is not known. registry_config says it") != std::string::npos;
             }) == 1);
}

BOOST_AUTO_TEST_CASE(Source_OnAnotherRegistryThanTheImages_IsWarnedOf_ForNoPullSecretGoesThere) {
  RegistryFile file;
  const auto warnings = [&](const std::string& source, const std::string& section) {
    file.section = section;
    file.rule = "trust = \"cosign\"\nkeys = [\"" + file.key + "\"]\nsource = \"" + source + "\"\n";
    const auto config = ParseConfig(file.Text(), "f");
    BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
    std::vector<std::string> about;
    for (const std::string& warning : config->warnings) {
      if (warning.find("no pull secret is sent there") != std::string::npos)
        about.push_back(warning);
    }
    return about;
  };
  const auto both = warnings("s.example/signatures", "");
  BOOST_REQUIRE(both.size() == 2U);
  BOOST_TEST(both[0].find("\"r.example/**\" are looked for on s.example") != std::string::npos);
  BOOST_TEST(both[0].find("auth of [trust.cosign]") != std::string::npos);
  // The pattern stands for any registry, so mostly for others.
  const auto other = warnings("r.example/signatures", "");
  BOOST_REQUIRE(other.size() == 1U);
  BOOST_TEST(other[0].find("\"*/any/**\"") != std::string::npos);
  BOOST_TEST(warnings("s.example/signatures", "auth = \"none\"\n").empty());
}

// What is not there must never look as if it were.
BOOST_AUTO_TEST_CASE(OfImageRegistries_KeysThatMeanNothing_AreRefused) {
  for (const std::string line :
       {"url = \"https://r.example\"", "ca_file = \"/x\"", "client_cert = \"/x\"",
        "client_key = \"/x\"", "insecure_http = true", "refresh_interval = \"5m\"",
        "max_refresh_rate = 1", "max_targets_size = 4096", "trusted_root = \"/x\"",
        "trusted_root = { target = \"x\" }", "trusted_root = { tuf = \"x\", colour = 1 }",
        "targets_url = \"https://r.example\"", "bundles = \"x\"", "registry_config = \"/x\"",
        "registry_config = [\"x\"]"}) {
    RegistryFile file;
    file.section = line + "\n";
    BOOST_TEST(Errors(file.Text()).find("f:5:") != std::string::npos, line);
  }
  for (const std::string line : {"identities = []",
                                 "log = \"maybe\"",
                                 "logs = 1",
                                 "scts = 1",
                                 "timestamps = 1",
                                 "signed_timestamps = 1",
                                 "annotations = {}",
                                 "annotations = { tag = 1 }",
                                 "annotations = { tag = \"v$tag\" }",
                                 "annotations = [\"tag\"]",
                                 "signed_as = \"r.example/*/x\"",
                                 "source = \"signatures\"",
                                 "source = \"r.example/signatures:1\"",
                                 "max_age = \"1h\"",
                                 "tag_order = \"never\"",
                                 "present = \"current\"",
                                 "roles = [\"targets\"]",
                                 "gun = \"x/**\"",
                                 "grace = \"1h\"",
                                 "root = { tofu = true }",
                                 "formats = []",
                                 "formats = [\"other\"]",
                                 "colour = 1"}) {
    RegistryFile file;
    file.rule += line + "\n";
    BOOST_TEST(Errors(file.Text()).find("f:14:") != std::string::npos, line);
  }
  RegistryFile file;
  file.rule = "trust = \"cosign\"\n";
  BOOST_TEST(Errors(file.Text()).find("\"keys\" in this [[rule]] is missing") != std::string::npos);
  file.rule = "trust = \"cosign\"\nkeys = []\n";
  BOOST_TEST(Errors(file.Text()).find("\"keys\" must not be empty") != std::string::npos);
  file.rule = "trust = \"cosign\"\nkeys = [\"" + file.folder.Write("cert.pem", kCertificate, 0644) +
              "\"]\n";
  BOOST_TEST(Errors(file.Text()).find("holds no public key that is accepted") != std::string::npos);
  file.rule = "trust = \"acme\"\nroot = { tofu = true }\nkeys = [\"" + file.key + "\"]\n";
  BOOST_TEST(Errors(file.Text()).find("is of kind = \"sigstore\"") != std::string::npos);
  BOOST_TEST(Errors(With("registry_config = [\"/x\"]\n")).find("unknown key") != std::string::npos);
}

/// A file whose rule wants a keyless signature of the test data's identity.
struct KeylessFile : RegistryFile {
  std::string subject = "https://git.acme.example/shop/web/.ci/release.yml@refs/heads/*";
  std::string more;

  KeylessFile() {
    section = std::string("trusted_root = \"") + CRIVET_TEST_DATA +
              "/sigstore/trust/trusted_root.json\"\n";
  }
  std::string Keyless() {
    rule =
        "trust = \"cosign\"\nidentities = [{ issuer = \"https://token.actions.example\", subject = "
        "\"" +
        subject + "\" }]\n" + more;
    return Text();
  }
  trust::SharedDemand Demand() {
    const auto config = ParseConfig(Keyless(), "f");
    BOOST_REQUIRE_MESSAGE(config, Errors(Keyless()));
    for (const auto& each : config->policy->rules()) {
      if (each->members.front().trust == "cosign") return each->members.front().demand;
    }
    return nullptr;
  }
};

trust::SignatureResult<trust::sigstore::ImageSignature> Verified(const std::string& bundle,
                                                                 const trust::Demand& demand) {
  std::ifstream in(std::string(CRIVET_TEST_DATA) + "/sigstore/bundles/" + bundle + ".json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto read = trust::sigstore::Bundle::Parse(text);
  BOOST_REQUIRE(read);
  const trust::sigstore::WantedImage image{
      .digest = *trust::Sha256Digest::Parse(
          "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4"),
      .repository = "127.0.0.1:5055/acme/web",
      .tag = "1.0"};
  return trust::sigstore::VerifyBundle(*read, image, trust::sigstore::AsSigstore(demand).image);
}

BOOST_AUTO_TEST_CASE(Identities_OfATrustedRoot_AreWhoHasToHaveSigned) {
  KeylessFile file;
  BOOST_TEST(Verified("keyless-good", *file.Demand()).has_value());
  BOOST_TEST(!Verified("key-p256-good", *file.Demand()));
  file.subject = "https://git.acme.example/shop/other/.ci/release.yml@refs/heads/*";
  const auto other = Verified("keyless-good", *file.Demand());
  BOOST_REQUIRE(!other);
  BOOST_CHECK(other.error().reason == trust::SignatureReason::kIdentity);
}

BOOST_AUTO_TEST_CASE(Annotations_AreWhatTheSignerHasToHaveAdded) {
  RegistryFile file;
  file.rule += "annotations = { tag = \"$tag\", \"acme.example/team\" = \"shop\" }\n";
  const auto config = ParseConfig(file.Text(), "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
  const auto rule =
      std::find_if(config->policy->rules().begin(), config->policy->rules().end(),
                   [](const auto& each) { return each->members.front().trust == "cosign"; });
  const auto& wanted =
      trust::sigstore::AsSigstore(*(*rule)->members.front().demand).image.annotations.wanted;
  BOOST_REQUIRE(wanted.size() == 2U);
  BOOST_TEST(wanted[0].name == "tag");
  BOOST_TEST(!wanted[0].value);
  BOOST_TEST(wanted[1].name == "acme.example/team");
  BOOST_TEST(wanted[1].value.value_or("") == "shop");
}

BOOST_AUTO_TEST_CASE(TagOrder_WhereNothingProvesATime_IsWarnedOf) {
  RegistryFile file;
  file.rule += "tag_order = \"refuse\"\n";
  const auto config = ParseConfig(file.Text(), "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
  BOOST_TEST(std::count_if(config->warnings.begin(), config->warnings.end(),
                           [](const std::string& warning) {
                             return warning.find("tag_order") != std::string::npos;
                           }) == 1);
}

// Whoever has an old signature can log it again.
BOOST_AUTO_TEST_CASE(TimesOfLoggedKeys_AreWarnedOf) {
  RegistryFile file;
  file.section =
      std::string("trusted_root = \"") + CRIVET_TEST_DATA + "/sigstore/trust/trusted_root.json\"\n";
  file.rule += "log = \"require\"\ntag_order = \"refuse\"\nmax_age = \"30d\"\n";
  const auto config = ParseConfig(file.Text(), "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Text()));
  BOOST_TEST(std::count_if(config->warnings.begin(), config->warnings.end(),
                           [](const std::string& warning) {
                             return warning.find("log it again") != std::string::npos;
                           }) == 2);
}

// What was verified under one is remembered for whoever wants the very same.
BOOST_AUTO_TEST_CASE(Identities_EachPartOfTheDemand_MakesItAnother) {
  KeylessFile file;
  const trust::SharedDemand plain = file.Demand();
  BOOST_TEST(plain->Equals(*file.Demand()));
  for (const char* line :
       {"log = \"off\"\n", "scts = 0\n", "timestamps = 2\n", "signed_timestamps = 1\n",
        "formats = [\"bundle\"]\n", "annotations = { tag = \"$tag\" }\n",
        "tag_order = \"refuse\"\n", "max_age = \"30d\"\n", "annotations = { tag = \"1.0\" }\n"}) {
    file.more = line;
    BOOST_TEST(!plain->Equals(*file.Demand()), line);
  }
  file.more.clear();
  file.subject += "x";
  BOOST_TEST(!plain->Equals(*file.Demand()));
  KeylessFile spaced;
  std::ifstream in(std::string(CRIVET_TEST_DATA) + "/sigstore/trust/trusted_root.json");
  const std::string root{std::istreambuf_iterator<char>(in), {}};
  spaced.section =
      "trusted_root = \"" + spaced.folder.Write("root.json", root + "\n", 0644) + "\"\n";
  BOOST_TEST(!plain->Equals(*spaced.Demand()));
}

// A trusted root that another trust has: both are found by their labels.
struct RootOfTufFile : KeylessFile {
  std::string tuf = "url = \"https://tuf.example/metadata\"\nroot = { root_file = \"" +
                    std::string(CRIVET_TEST_DATA) + "/tuf/root.json\" }\n";
  std::string label = "roots";
  std::string target;

  std::string Whole() {
    section = "trusted_root = { tuf = \"" + label + "\"" +
              (target.empty() ? "" : ", target = \"" + target + "\"") + " }\n";
    return Keyless() + "[trust.roots]\nkind = \"tuf\"\n" + tuf;
  }
};

BOOST_AUTO_TEST_CASE(TrustedRoot_OfATufRepository_IsATargetOfIt) {
  RootOfTufFile file;
  const auto config = ParseConfig(file.Whole(), "f");
  BOOST_REQUIRE_MESSAGE(config, Errors(file.Whole()));
  const auto& files = config->policy->files();
  BOOST_REQUIRE(files.size() == 1U);
  BOOST_TEST(files[0].trust == "cosign");
  BOOST_TEST(files[0].supplier == "roots");
  BOOST_TEST(files[0].name == "trusted_root.json");
  BOOST_TEST(files[0].from.url == "https://tuf.example/metadata");
  BOOST_TEST(config->policy->DemandsOn(files[0].from).size() == 1U);
  for (const std::string& warning : config->warnings) {
    BOOST_TEST(warning.find("no rule uses") == std::string::npos, warning);
  }
  for (const auto& server : config->servers) {
    BOOST_TEST(server.files_url == (server.label == "roots" ? "https://tuf.example/targets" : ""));
  }
  file.target = "acme/root.json";
  file.tuf += "targets_url = \"https://files.example/x\"\n";
  const auto other = ParseConfig(file.Whole(), "f");
  BOOST_REQUIRE_MESSAGE(other, Errors(file.Whole()));
  BOOST_TEST(other->policy->files()[0].name == "acme/root.json");
  BOOST_TEST(other->servers.back().files_url == "https://files.example/x");
}

BOOST_AUTO_TEST_CASE(TrustedRoot_OfNoTufRepository_IsRefused) {
  const auto says = [](RootOfTufFile& file, const std::string& words) {
    const std::string errors = Errors(file.Whole());
    BOOST_TEST(errors.find(words) != std::string::npos, words + " is not in " + errors);
  };
  RootOfTufFile file;
  file.label = "other";
  says(file, "[trust.cosign] reads trusted_root.json of [trust.other]: there is none");
  file.label = "acme";
  says(file, "a trust of kind = \"notary\" has no files");
  file.label = "cosign";
  says(file, "a trust of kind = \"sigstore\" has no files");
  file.label = "roots";
  for (const char* name : {"../root.json", "/root.json", "a b", "a//b", "a/"}) {
    file.target = name;
    says(file, "the name of a target that is read");
  }
  file.target.clear();
  file.tuf += "targets_url = \"http://files.example\"\n";
  says(file, "\"targets_url\" must be https");
}

BOOST_AUTO_TEST_CASE(Identities_WithoutWhatTheyHangFrom_AreRefused) {
  const auto says = [](KeylessFile& file, const std::string& words) {
    const std::string errors = Errors(file.Keyless());
    BOOST_TEST(errors.find(words) != std::string::npos, words + " is not in " + errors);
  };
  KeylessFile file;
  file.section.clear();
  says(file, "hang from a trusted root, and there is none");
  file.section = "trusted_root = \"" + file.folder.Write("root.json", "{}", 0644) + "\"\n";
  says(file, "is no trusted_root.json of sigstore");
  file.section = "trusted_root = \"" + file.folder.Write("not.json", "x", 0644) + "\"\n";
  says(file, "is no trusted_root.json of sigstore");
  KeylessFile counts;
  counts.more = "logs = 8\n";
  says(counts, "more transparency logs than the trusted root knows");
  counts.more = "log = \"off\"\nlogs = 1\n";
  says(counts, "has no meaning where \"log\" is \"off\"");
  counts.more = "scts = 8\n";
  says(counts, "more certificate transparency logs");
  counts.more = "keys = [\"" + counts.key + "\"]\n";
  says(counts, "stands beside \"identities\"");
  counts.more = "timestamps = 0\n";
  says(counts, "timestamps");
  counts.more.clear();
  counts.subject = "a***b";
  says(counts, "is no pattern");
  RegistryFile incomplete;
  incomplete.section = counts.section;
  incomplete.rule = "trust = \"cosign\"\nidentities = [{ issuer = \"https://i.example\" }]\n";
  BOOST_TEST(Errors(incomplete.Text()).find("\"subject\"") != std::string::npos);
  incomplete.rule =
      "trust = \"cosign\"\nidentities = [{ issuer = \"i\", subject = \"s\", email = \"e\" }]\n";
  BOOST_TEST(Errors(incomplete.Text()).find("unknown key") != std::string::npos);
  RegistryFile logged;
  logged.rule += "log = \"require\"\n";
  BOOST_TEST(Errors(logged.Text()).find("trusted root") != std::string::npos);
  logged.section = counts.section;
  BOOST_TEST(ParseConfig(logged.Text(), "f").has_value());
}

BOOST_AUTO_TEST_CASE(PresentMaxAge_OfSignaturesBesideImages_CountsOnlyWhereItIsSet) {
  using std::chrono::hours;
  RegistryFile file;
  const std::string alone = file.rule;
  const std::string both =
      " = [{ trust = \"acme\", root = { tofu = true } }, { trust = "
      "\"cosign\", keys = [\"" +
      file.key + "\"] }]\n";
  for (const std::string& members : {alone, "any_of" + both, "all_of" + both}) {
    file.rule = members;
    const auto unsaid = ParseConfig(file.Text(), "f");
    BOOST_REQUIRE_MESSAGE(unsaid, Errors(file.Text()));
    BOOST_TEST((unsaid->policy->rules().front()->confirmed_max_age == hours{0}));
    file.rule = members + "present_max_age = \"7d\"\n";
    const auto said = ParseConfig(file.Text(), "f");
    BOOST_REQUIRE_MESSAGE(said, Errors(file.Text()));
    BOOST_TEST((said->policy->rules().front()->confirmed_max_age == hours{24 * 7}));
    file.rule = members + "present = \"current\"\n";
    BOOST_TEST(Errors(file.Text())
                   .find("\"present\" in this [[rule]] has no meaning with "
                         "[trust.cosign]") != std::string::npos);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/containerd_unit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {
namespace {

constexpr char kMoved[] = "/etc/crivet/containerd.toml";

// As `systemctl show` of systemd 252 prints it: joined by blanks, quotes gone, variables as
// written.
std::string Shown(const std::string& words, const std::string& flags = "") {
  const std::string program = words.substr(0, words.find(' '));
  const std::string tail =
      " ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n";
  return "LoadState=loaded\nMainPID=42\nExecStart={ path=" + program + " ; argv[]=" + words +
         " ; ignore_errors=no" + tail + "ExecStartEx={ path=" + program + " ; argv[]=" + words +
         " ; flags=" + flags + tail +
         "DropInPaths=/etc/systemd/system/containerd.service.d/10-a.conf /run/b.conf\n";
}

ContainerdUnit Unit(const std::string& words, const std::string& flags = "") {
  auto unit = ParseContainerdUnit(Shown(words, flags));
  BOOST_REQUIRE_MESSAGE(unit, (unit ? "" : unit.error().detail));
  return *unit;
}

// What systemd made of it.
struct Runs {
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};
};

ContainerdProcess Process(const Runs& runs) {
  return {"/usr/bin/containerd", runs.arguments, runs.environment, "/"};
}

std::string ExecStart(const ContainerdUnit& unit, const Runs& runs) {
  const auto text = ExecStartWith(unit, Process(runs), kMoved);
  return text ? *text : "refused: " + text.error().detail;
}

// The shape in which installers write the unit, what systemd makes of it, and what becomes of it.
struct Installed {
  const char* who;
  const char* words;
  Runs runs;
  const char* moved;
};

const std::vector<Installed> kInstalled = {
    {"Debian, Docker's packages, kubeadm guides",
     "/usr/bin/containerd",
     {{"/usr/bin/containerd"}},
     "/usr/bin/containerd --config /etc/crivet/containerd.toml"},
    {"containerd's own, from a tarball",
     "/usr/local/bin/containerd",
     {{"/usr/local/bin/containerd"}},
     "/usr/local/bin/containerd --config /etc/crivet/containerd.toml"},
    {"kOps, configuration in the options",
     "/usr/bin/containerd -c /etc/containerd/config-kops.toml $CONTAINERD_OPTS",
     {{"/usr/bin/containerd", "-c", "/etc/containerd/config-kops.toml", "--log-level=info"},
      {"CONTAINERD_OPTS=--log-level=info"}},
     "/usr/bin/containerd -c /etc/crivet/containerd.toml $CONTAINERD_OPTS"},
    {"the same without options",
     "/usr/bin/containerd -c /etc/containerd/config-kops.toml $CONTAINERD_OPTS",
     {{"/usr/bin/containerd", "-c", "/etc/containerd/config-kops.toml"}, {"CONTAINERD_OPTS="}},
     "/usr/bin/containerd -c /etc/crivet/containerd.toml $CONTAINERD_OPTS"},
    {"all options in a variable",
     "/usr/bin/containerd $CONTAINERD_OPTS",
     {{"/usr/bin/containerd", "--config", "/etc/containerd/own.toml", "--log-level", "warn"},
      {"CONTAINERD_OPTS=--config /etc/containerd/own.toml --log-level warn"}},
     "/usr/bin/containerd $CONTAINERD_OPTS --config /etc/crivet/containerd.toml"},
    // Two names of one option are an error to containerd: the one that is there is used.
    {"all options in a variable, in short",
     "/usr/bin/containerd $CONTAINERD_OPTS",
     {{"/usr/bin/containerd", "-c=/etc/containerd/own.toml"},
      {"CONTAINERD_OPTS=-c=/etc/containerd/own.toml"}},
     "/usr/bin/containerd $CONTAINERD_OPTS -c /etc/crivet/containerd.toml"},
    {"Flatcar, system extensions",
     "/usr/bin/containerd --config ${CONTAINERD_CONFIG}",
     {{"/usr/bin/containerd", "--config", "/usr/share/containerd/config.toml"},
      {"CONTAINERD_CONFIG=/usr/share/containerd/config.toml"}},
     "/usr/bin/containerd --config /etc/crivet/containerd.toml"},
    {"Flatcar with torcx",
     "/usr/bin/env PATH=${TORCX_BINDIR}:${PATH} ${TORCX_BINDIR}/containerd --config "
     "${CONTAINERD_CONFIG}",
     {{"/run/torcx/bin/containerd", "--config", "/etc/containerd/config.toml"},
      {"TORCX_BINDIR=/run/torcx/bin", "PATH=/run/torcx/bin:/usr/bin",
       "CONTAINERD_CONFIG=/etc/containerd/config.toml"}},
     "/usr/bin/env PATH=${TORCX_BINDIR}:${PATH} ${TORCX_BINDIR}/containerd --config "
     "/etc/crivet/containerd.toml"},
    {"one word",
     "/usr/bin/containerd --config=${DIR}/config.toml --root ${ROOT}",
     {{"/usr/bin/containerd", "--config=/etc/containerd/config.toml", "--root", "/data"},
      {"DIR=/etc/containerd", "ROOT=/data"}},
     "/usr/bin/containerd --config=/etc/crivet/containerd.toml --root ${ROOT}"},
    {"the option's name in a variable as well",
     "/usr/bin/containerd ${CONFIG_OPTION} --log-level warn",
     {{"/usr/bin/containerd", "--config=/etc/containerd/config.toml", "--log-level", "warn"},
      {"CONFIG_OPTION=--config=/etc/containerd/config.toml"}},
     "/usr/bin/containerd ${CONFIG_OPTION} --log-level warn --config /etc/crivet/containerd.toml"},
    {"nice and env",
     "/usr/bin/nice -n -5 env GOGC=50 containerd -config /x.toml",
     {{"containerd", "-config", "/x.toml"}},
     "/usr/bin/nice -n -5 env GOGC=50 containerd -config /etc/crivet/containerd.toml"},
    {"a value with a specifier's sign",
     "/usr/bin/containerd --root /srv/100% --config /x.toml",
     {{"/usr/bin/containerd", "--root", "/srv/100%", "--config", "/x.toml"}},
     "/usr/bin/containerd --root /srv/100%% --config /etc/crivet/containerd.toml"},
    {"given twice: the last counts",
     "/usr/bin/containerd --config /a.toml --config /b.toml",
     {{"/usr/bin/containerd", "--config", "/a.toml", "--config", "/b.toml"}},
     "/usr/bin/containerd --config /a.toml --config /etc/crivet/containerd.toml"},
};

struct Refused {
  const char* why;
  const char* words;
  Runs runs;
  const char* says;
};

const std::vector<Refused> kRefused = {
    {"a shell",
     "/bin/sh -c exec containerd",
     {{"containerd"}},
     "by way of `/bin/sh -c exec containerd`"},
    {"a script", "/opt/bin/start-containerd.sh", {{"containerd"}}, "/opt/bin/start-containerd.sh"},
    {"a wrapper's word with a blank",
     "/usr/bin/env A=b c containerd",
     {{"containerd"}},
     "env A=b c"},
    {"another value since",
     "/usr/bin/containerd $CONTAINERD_OPTS",
     {{"/usr/bin/containerd", "--log-level", "warn"}, {"CONTAINERD_OPTS=--log-level debug"}},
     "$CONTAINERD_OPTS"},
    {"a value with quotes, which is not looked into",
     "/usr/bin/containerd $OPTS",
     {{"/usr/bin/containerd", "--root", "/a b"}, {"OPTS=--root '/a b'"}},
     "$OPTS"},
    {"another unit since",
     "/usr/bin/containerd --log-level debug",
     {{"/usr/bin/containerd"}},
     "Restart containerd"},
    {"a word that is no option",
     "/usr/bin/containerd $X",
     {{"/usr/bin/containerd", "daemon"}, {"X=daemon"}},
     "\"daemon\""},
};

BOOST_AUTO_TEST_SUITE(ContainerdUnitTest)

BOOST_AUTO_TEST_CASE(Installed_TextIsKept_AndTheConfigurationAloneIsAnother) {
  for (const Installed& installed : kInstalled) {
    BOOST_TEST(ExecStart(Unit(installed.words), installed.runs) == installed.moved, installed.who);
  }
}

BOOST_AUTO_TEST_CASE(WhatCannotBeTold_IsRefused_ByItsName) {
  for (const Refused& refused : kRefused) {
    const std::string said = ExecStart(Unit(refused.words), refused.runs);
    BOOST_TEST(said.starts_with("refused: "), refused.why << ": " << said);
    BOOST_TEST(said.find(refused.says) != std::string::npos, refused.why << ": " << said);
    BOOST_TEST(said.find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(Prefixes_AreKept_AndVariablesStayAsWrittenWhereTheySaySo) {
  const Runs plain{{"/usr/bin/containerd"}};
  BOOST_TEST(ExecStart(Unit("/usr/bin/containerd", "ignore-failure"), plain).starts_with("-/usr"));
  BOOST_TEST(ExecStart(Unit("/usr/bin/containerd --root $X", "no-env-expand"),
                       {{"/usr/bin/containerd", "--root", "$X"}, {"X=other"}}) ==
             ":/usr/bin/containerd --root $X --config /etc/crivet/containerd.toml");
}

BOOST_AUTO_TEST_CASE(Unit_ThatIsNotThere_IsSaidInOneLine_AsIsK3s) {
  const auto unit = ParseContainerdUnit("LoadState=not-found\nMainPID=0\nDropInPaths=\n");
  BOOST_REQUIRE(!unit);
  BOOST_TEST((unit.error().reason == trust::Reason::kState));
  BOOST_TEST(unit.error().detail.find("k3s") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Unit_OfAnotherForm_IsRefused) {
  BOOST_TEST(!ParseContainerdUnit(""));
  BOOST_TEST(!ParseContainerdUnit("LoadState=loaded\nMainPID=1\nExecStart=\n"));
  // `@`: argv[0] is another word.
  std::string renamed = Shown("/usr/bin/containerd");
  renamed.replace(renamed.find("argv[]=/usr/bin/containerd"), 26, "argv[]=other");
  BOOST_TEST(!ParseContainerdUnit(renamed));
}

// `ExecStart=@/opt/bin/containerd containerd`: the name alone may be another program.
BOOST_AUTO_TEST_CASE(Unit_WhoseFirstWordIsAName_KeepsTheProgramThatSystemdFound) {
  std::string named = Shown("/opt/bin/containerd --log-level warn");
  for (auto at = named.find("argv[]=/opt/bin/"); at != std::string::npos;
       at = named.find("argv[]=/opt/bin/")) {
    named.replace(at, 16, "argv[]=");
  }
  const auto unit = ParseContainerdUnit(named);
  BOOST_REQUIRE(unit);
  BOOST_TEST(ExecStart(*unit, {{"containerd", "--log-level", "warn"}}) ==
             "/opt/bin/containerd --log-level warn --config /etc/crivet/containerd.toml");
}

BOOST_AUTO_TEST_CASE(Unit_ThatDoesNotRun_IsReadUnlessItHasAVariable) {
  const auto plain = ProcessOfUnit(Unit("/usr/bin/containerd --config /x.toml"));
  BOOST_REQUIRE(plain);
  BOOST_TEST(ConfigFileOf(*plain, *ParseContainerdOptions(plain->arguments)) == "/x.toml");
  BOOST_TEST(ProcessOfUnit(Unit("/usr/bin/env A=$X /usr/bin/containerd")).has_value());
  for (const char* words : {"/usr/bin/containerd $OPTS", "/usr/bin/containerd -c ${OPTS}",
                            "/usr/bin/containerd --root $$${OPTS}"}) {
    const auto process = ProcessOfUnit(Unit(words));
    BOOST_REQUIRE(!process);
    BOOST_TEST(process.error().detail.find("OPTS") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(Options_AreReadAsContainerdReadsThem) {
  for (const char* spelling : {"--config /x", "--config=/x", "-c /x", "-c=/x", "-config /x"}) {
    const auto options = ParseContainerdOptions(
        *CommandOf(fmt::format("argv[]=containerd {} --log-level warn ; ", spelling)));
    BOOST_REQUIRE(options);
    BOOST_TEST(options->config->value == "/x", spelling);
    BOOST_TEST(!options->address);
  }
  BOOST_TEST(ParseContainerdOptions({"containerd", "-a", "/s"})->address->value == "/s");
  // A value may look like an option.
  BOOST_TEST(!ParseContainerdOptions({"containerd", "--root", "--config"})->config);
  for (const char* word :
       {"config", "--", "-", "---config=/x", "--no-such=1", "--config", "$OPTS"}) {
    BOOST_TEST(!ParseContainerdOptions({"containerd", word}), word);
  }
}

BOOST_AUTO_TEST_CASE(Configuration_RelativeToTheProcess) {
  const ContainerdProcess process{
      "/usr/bin/containerd", {"containerd", "-c", "x.toml"}, {}, "/srv"};
  BOOST_TEST(ConfigFileOf(process, *ParseContainerdOptions(process.arguments)) == "/srv/x.toml");
  BOOST_TEST(ConfigFileOf(process, {}) == "/etc/containerd/config.toml");
}

BOOST_AUTO_TEST_CASE(DropIns_AreListed) {
  BOOST_TEST(Unit("/usr/bin/containerd").drop_ins.size() == 2u);
  BOOST_TEST((Unit("/usr/bin/containerd").main_pid == 42));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/program.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{20'000};

InertCommand Shell(const std::string& script) {
  return {"/bin/sh", {"sh", "-c", script}, {"PATH=/usr/bin:/bin", "GIVEN=yes"}};
}

InertCommand Perl(const std::string& script) {
  return {"/usr/bin/perl", {"perl", "-e", script}, {}};
}

struct Folder {
  Folder() {
    char name[] = "/tmp/crivet-program.XXXXXX";
    BOOST_REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string Printed(const InertCommand& command) {
  const auto output = RunInert(command, kPatience);
  BOOST_REQUIRE_MESSAGE(output, (output ? "" : output.error().detail));
  return output->text;
}

BOOST_FIXTURE_TEST_SUITE(ProgramTest, Folder)

BOOST_AUTO_TEST_CASE(InertProgram_ReadsAndPrints_WithTheGivenEnvironmentAlone) {
  std::ofstream(path / "file") << "text";
  BOOST_TEST(Printed(Shell("read -r line <" + (path / "file").string() +
                           "; echo $line $GIVEN $HOME; exit 3")) == "text yes\n");
  const auto output = RunInert(Shell("echo out; echo err >&2; exit 3"), kPatience);
  BOOST_REQUIRE(output);
  BOOST_TEST(output->exit_status == 3);
  BOOST_TEST(output->errors == "err\n");
}

BOOST_AUTO_TEST_CASE(InertProgram_ChangesNoFile) {
  std::ofstream(path / "kept") << "kept";
  const std::string kept = (path / "kept").string();
  const std::string fresh = (path / "fresh").string();
  for (const std::string& script :
       {"print open(my $f, '>', '" + fresh + "') ? 'done' : 'refused'",
        "print open(my $f, '>>', '" + kept + "') ? 'done' : 'refused'",
        "print open(my $f, '+<', '" + kept + "') ? 'done' : 'refused'",
        "print unlink('" + kept + "') ? 'done' : 'refused'",
        "print rename('" + kept + "', '" + fresh + "') ? 'done' : 'refused'",
        "print mkdir('" + fresh + "') ? 'done' : 'refused'",
        "print chmod(0777, '" + kept + "') ? 'done' : 'refused'",
        "print truncate('" + kept + "', 0) ? 'done' : 'refused'",
        "print symlink('a', '" + fresh + "') ? 'done' : 'refused'"}) {
    BOOST_TEST(Printed(Perl(script)) == "refused", script);
  }
  std::ifstream stream(kept);
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(stream), {}) == "kept");
  BOOST_TEST(!std::filesystem::exists(fresh));
}

BOOST_AUTO_TEST_CASE(InertProgram_TakesNoLockAndNoSocket) {
  std::ofstream(path / "lock") << "";
  const std::string lock = (path / "lock").string();
  const std::string open = "open(my $f, '<', '" + lock + "') or die; ";
  BOOST_TEST(Printed(Perl(open + "print flock($f, 1) ? 'done' : 'refused'")) == "refused");
  BOOST_TEST(Printed(Perl(open + "my $l = pack('ssx4qqi', 0, 0, 0, 0, 0); "
                                 "print fcntl($f, 6, $l) ? 'done' : 'refused'")) == "refused");
  for (const char* family : {"1", "2"}) {
    BOOST_TEST(Printed(Perl("print socket(my $s, " + std::string(family) +
                            ", 1, 0) ? 'done' : 'refused'")) == "refused");
  }
}

BOOST_AUTO_TEST_CASE(InertProgram_StartsAndSignalsNobody) {
  BOOST_TEST(Printed(Perl("print defined(fork()) ? 'done' : 'refused'")) == "refused");
  BOOST_TEST(Printed(Perl("print kill(0, " + std::to_string(getpid()) +
                          ") ? 'done' : 'refused'")) == "refused");
  // What it becomes instead of itself is as inert.
  BOOST_TEST(Printed(Perl("exec '/usr/bin/perl', '-e', \"print mkdir('" +
                          (path / "fresh").string() + "') ? 'done' : 'refused'\"")) == "refused");
}

BOOST_AUTO_TEST_CASE(ProgramThatDoesNotEnd_IsEnded) {
  const auto begin = steady_clock::now();
  BOOST_TEST(!RunInert(Perl("while (1) {}"), milliseconds{300}));
  BOOST_TEST(!RunProgram({"sleep", "60"}, milliseconds{300}));
  BOOST_TEST((steady_clock::now() - begin < milliseconds{20'000}));
}

BOOST_AUTO_TEST_CASE(ProgramThatIsNotThere_IsAnError) {
  BOOST_TEST(!RunInert({"/nowhere/program", {"program"}, {}}, kPatience));
  BOOST_TEST(!RunProgram({"/nowhere/program"}, kPatience));
}

BOOST_AUTO_TEST_CASE(ProgramThatSaysTooMuch_IsEnded) {
  BOOST_TEST(!RunInert(Perl("while (1) { print 'x' x 65536 }"), kPatience));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy

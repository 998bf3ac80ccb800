// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/comparison/cases.h"

namespace crivet::trust {

void ComparePins(CollectionServer& server, const Editions& editions, RecordBook& book) {
  const std::string gun = editions.before.gun();
  const std::string first_key = editions.before.keys("root").front().id();

  server.Serve(editions.before);
  TwoClients knowing(server.url(), gun, first_key);
  knowing.Ask("1.0");
  knowing.Pin(RootKeyFor(gun).id());
  book.Write("a pin that is not the root's", "warm", knowing.Ask("1.0"));
  TwoClients strange(server.url(), gun, RootKeyFor(gun).id());
  strange.Pin(RootKeyFor(gun).id());
  book.Write("a pin that is not the root's", "new", strange.Ask("1.0"));

  SigningRepository rotated = editions.After();
  for (int i = 0; i < 2; ++i) {
    rotated.SetKeys("root", {RootKeyFor(gun)});
    rotated.Publish();
  }
  server.Serve(rotated);
  TwoClients pinned(server.url(), gun, first_key);
  pinned.Pin(first_key);
  book.Write("two new root keys and a pin of the first", "new", pinned.Ask("1.0"));

  // A root key that was in use while its certificate was valid, then replaced.
  CertificateRequest request;
  request.common_names = {gun};
  request.not_after = TimePoint{std::chrono::sys_days{std::chrono::year{2021} / 1 / 1}};
  SigningRepository renewed = editions.After();
  const SigningKey expired = SigningKey::Ecdsa().SelfSigned(request);
  renewed.SetKeys("root", {expired});
  renewed.Publish();
  const std::string stored = renewed.bytes("root");
  renewed.SetKeys("root", {RootKeyFor(gun)});
  renewed.Publish();
  server.Serve(renewed);
  const TwoClients holding(server.url(), gun, expired.id());
  holding.PlantInNotarysCache("root", stored);
  book.Write("the known root's certificate expired with a newer root there", "warm",
             holding.Ask("1.0"));
}

}  // namespace crivet::trust

// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/comparison/cases.h"

namespace crivet::trust {
namespace {

using Exchange = FaultServer::Exchange;

// Only what is answered for the timestamp is bent.
CollectionServer::Bend ForTimestamp(std::function<void(Exchange&)> answer) {
  return [answer = std::move(answer)](Exchange& exchange, const std::string& file) {
    if (file != "timestamp.json") return false;
    answer(exchange);
    return true;
  };
}

}  // namespace

std::vector<Attack> BentAnswers(const Editions& editions) {
  SigningRepository after = editions.After();
  after.Publish();
  const std::string timestamp = after.bytes("timestamp");
  std::vector<Attack> attacks;
  const auto add = [&](const std::string& name, std::function<void(Exchange&)> answer) {
    attacks.push_back({name, after, ForTimestamp(std::move(answer))});
  };
  for (const int status : {201, 204, 206, 400, 401, 403, 410, 500}) {
    add("status " + std::to_string(status), [=](Exchange& e) { e.Reply(status, timestamp); });
  }
  add("status 302 to the file",
      [](Exchange& e) { e.Reply(302, "", "Location: /v2/elsewhere/timestamp.json\r\n"); });
  add("status 200 with a page for people",
      [](Exchange& e) { e.Reply(200, "<html>Maintenance</html>"); });
  add("status 200 with `null`", [](Exchange& e) { e.Reply(200, "null"); });
  add("status 200 with 2 MiB of white space after",
      [=](Exchange& e) { e.Reply(200, timestamp + std::string(2 << 20, ' ')); });
  add("chunks with 1 MiB of white space after", [=](Exchange& e) {
    const std::string body = timestamp + std::string(1 << 20, ' ');
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", body.size());
    e.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    e.Send(size + body + "\r\n0\r\n\r\n");
    e.Close();
  });
  add("half of an answer", [=](Exchange& e) {
    e.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(timestamp.size()) + "\r\n\r\n" +
           timestamp.substr(0, timestamp.size() / 2));
    e.Close();
  });
  add("a connection that closes", [](Exchange& e) { e.Close(); });
  return attacks;
}

}  // namespace crivet::trust

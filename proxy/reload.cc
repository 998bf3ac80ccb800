#include "proxy/reload.h"

namespace crivet::proxy {

std::vector<std::string> SettingsThatNeedARestart(const Config& now, const Config& next) {
  std::vector<std::string> keys;
  if (now.listen != next.listen) keys.emplace_back("listen");
  if (now.upstream != next.upstream) keys.emplace_back("upstream");
  if (now.image_upstream != next.image_upstream) keys.emplace_back("image_upstream");
  if (now.state_dir != next.state_dir) keys.emplace_back("state_dir");
  if (now.admin != next.admin) keys.emplace_back("admin");
  if (now.audit != next.audit) keys.emplace_back("audit in [log]");
  return keys;
}

}  // namespace crivet::proxy

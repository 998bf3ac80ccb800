// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/openssl_handles.h"

#include <openssl/objects.h>

#include <chrono>
#include <ctime>

namespace crivet::trust::openssl {

std::optional<TimePoint> TimeOf(const ASN1_TIME* time) {
  using namespace std::chrono;
  std::tm tm{};
  // A null time would be read as the clock's, which the core never asks.
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return std::nullopt;
  const year_month_day date{year{tm.tm_year + 1900}, month{static_cast<unsigned>(tm.tm_mon + 1)},
                            day{static_cast<unsigned>(tm.tm_mday)}};
  if (!date.ok()) return std::nullopt;
  return TimePoint{sys_days{date}} + hours{tm.tm_hour} + minutes{tm.tm_min} + seconds{tm.tm_sec};
}

std::string TextOf(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    return {};
  }
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

bool IsWeakSignature(int algorithm) {
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(algorithm, &digest, &key) != 1) return false;
  switch (digest) {
    case NID_sha1:
    case NID_sha:
    case NID_md5:
    case NID_md5_sha1:
    case NID_md4:
    case NID_md2:
    case NID_mdc2:
    case NID_ripemd160:
      return true;
    default:
      return false;
  }
}

}  // namespace crivet::trust::openssl

// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/certificate_path.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "trust/signed/openssl_handles.h"

namespace crivet::trust {

using openssl::QuietErrors;

namespace {

void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using Stack = std::unique_ptr<STACK_OF(X509), openssl::Freed<FreeStack>>;

// RFC 5280 4.1.2.5: both ends belong to the period. The library leaves the last second out.
bool IsValidAt(const Certificate& certificate, TimePoint time) {
  return certificate.not_before() <= time && time <= certificate.not_after();
}

tl::unexpected<SignatureError> NoMemory() {
  return RefuseSignature(SignatureReason::kUntrustedRoot, "no memory for a path of certificates");
}

// A path has no other certificates than those that it was looked for in.
const Certificate* Find(std::string_view der, const Certificate& leaf,
                        const std::vector<Certificate>& intermediates,
                        const CertificateSet& anchors) {
  const auto is_it = [&](const Certificate& one) { return one.der() == der; };
  if (is_it(leaf)) return &leaf;
  for (const std::vector<Certificate>* all : {&intermediates, &anchors.certificates()}) {
    const auto found = std::find_if(all->begin(), all->end(), is_it);
    if (found != all->end()) return &*found;
  }
  return nullptr;
}

// Certificates of which the caller knows that each is signed by the next, and how the library
// verifies what is not along them.
struct Linked {
  std::vector<openssl::X509Certificate> chain;
  X509_STORE_CTX_verify_fn verify;
};

// In place of the library's own step that verifies signatures, and dates, which nobody asks it for.
int VerifyUnlessLinked(X509_STORE_CTX* context) {
  const auto& linked = *static_cast<const Linked*>(X509_STORE_CTX_get_app_data(context));
  STACK_OF(X509)* const path = X509_STORE_CTX_get0_chain(context);
  const auto size = static_cast<std::size_t>(sk_X509_num(path));
  bool along = size <= linked.chain.size();
  for (std::size_t i = 0; along && i < size; ++i) {
    along = X509_cmp(sk_X509_value(path, static_cast<int>(i)), linked.chain[i].get()) == 0;
  }
  return along ? 1 : linked.verify(context);
}

SignatureResult<std::vector<Certificate>> Search(const Certificate& leaf,
                                                 const std::vector<Certificate>& intermediates,
                                                 const CertificateSet& anchors, TimePoint time,
                                                 Linked linked) {
  // 112 bits: no SHA-1, no RSA below 2048.
  constexpr int kSecurityLevel = 2;
  constexpr int kMaxIntermediates = 8;  // 10 with leaf and anchor
  if (!IsValidAt(leaf, time)) {
    return RefuseSignature(SignatureReason::kUntrustedRoot,
                           "the certificate is not valid at " + FormatRfc3339(time));
  }
  const QuietErrors quiet;
  const openssl::X509Store store(X509_STORE_new());
  const openssl::X509StoreContext context(X509_STORE_CTX_new());
  const Stack untrusted(sk_X509_new_null());
  const openssl::X509Certificate x509(leaf.Decoded());
  if (!store || !context || !untrusted || !x509) return NoMemory();
  for (const Certificate& anchor : anchors.certificates()) {
    if (!IsValidAt(anchor, time)) continue;
    const openssl::X509Certificate read(anchor.Decoded());
    if (!read || X509_STORE_add_cert(store.get(), read.get()) != 1) return NoMemory();
  }
  for (const Certificate& intermediate : intermediates) {
    if (!IsValidAt(intermediate, time)) continue;
    openssl::X509Certificate read(intermediate.Decoded());
    if (!read || sk_X509_push(untrusted.get(), read.get()) <= 0) return NoMemory();
    static_cast<void>(read.release());  // the stack's
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), x509.get(), untrusted.get()) != 1) {
    return NoMemory();
  }
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_depth(parameters, kMaxIntermediates);
  // Dates have been looked at: nothing that is not valid is there to be chosen.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  if (!linked.chain.empty()) {
    linked.verify = X509_STORE_CTX_get_verify(context.get());
    X509_STORE_CTX_set_app_data(context.get(), &linked);
    X509_STORE_CTX_set_verify(context.get(), VerifyUnlessLinked);
  }
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    return RefuseSignature(SignatureReason::kUntrustedRoot,
                           std::string("no path to a certificate that is trusted: ") +
                               X509_verify_cert_error_string(error));
  }
  std::vector<Certificate> path;
  STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(sk_X509_value(chain, i), &bytes);
    if (size <= 0) return NoMemory();
    const std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    const Certificate* const one = Find(der, leaf, intermediates, anchors);
    if (one == nullptr) return NoMemory();
    path.push_back(*one);
  }
  return path;
}

}  // namespace

SignatureResult<std::vector<Certificate>> FindPath(const Certificate& leaf,
                                                   const std::vector<Certificate>& intermediates,
                                                   const CertificateSet& anchors, TimePoint time) {
  return Search(leaf, intermediates, anchors, time, {});
}

SignatureResult<std::vector<Certificate>> FindPathAlong(const std::vector<Certificate>& chain,
                                                        const CertificateSet& anchors,
                                                        TimePoint time) {
  Linked linked{{}, nullptr};
  for (const Certificate& certificate : chain) {
    linked.chain.emplace_back(certificate.Decoded());
    if (!linked.chain.back()) return NoMemory();
  }
  return Search(chain.front(), {chain.begin() + 1, chain.end()}, anchors, time, std::move(linked));
}

}  // namespace crivet::trust

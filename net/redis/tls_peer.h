// Who the peer of a TLS handshake must be, and, when it is somebody else, who it said it is. Private to this folder.
#pragma once

#include <string>

#include "net/redis/options.h"

struct ssl_st;
struct x509_store_ctx_st;

namespace ordeal::net::redis {

// Lives beside the handshake of one OpenSSL connection, which must outlive it.
class tls_peer {
 public:
  tls_peer() = default;
  tls_peer(const tls_peer&) = delete;
  tls_peer& operator=(const tls_peer&) = delete;
  ~tls_peer();

  // Has the chain and the name verified and sends the name (SNI) unless it is an IP address. False when `name` cannot
  // be a server's name.
  bool expect(ssl_st* handshake, const std::string& name);

  // Why the certificate was refused and what to change; empty when it was not.
  std::string refusal(const tls_options& options) const;

 private:
  static int on_certificate(int is_fine, x509_store_ctx_st* store);
  void note_refusal(x509_store_ctx_st* store);

  ssl_st* handshake_ = nullptr;
  std::string name_;
  int verdict_ = 0;  // X509_V_OK
  std::string certificate_names_;
  std::string valid_from_, valid_until_;
};

}  // namespace ordeal::net::redis

#include "net/redis/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace ordeal::net::redis {
namespace {

namespace fs = std::filesystem;

// Empty when it can be read; OpenSSL's own words for that say neither the file nor the reason.
std::string unreadable(const fs::path& path, const std::string& place) {
  std::error_code unknown;  // then opening it fails too
  if (fs::is_directory(path, unknown)) return place + " is a directory";
  errno = 0;
  const std::ifstream file(path, std::ios::binary);
  if (file) return {};
  std::string words = "cannot read " + place;
  if (errno != 0) words += std::string(": ") + std::strerror(errno);
  return words;
}

std::string load_authorities(ssl_ctx_st* context, const tls_options& options) {
  if (options.ca_file.empty()) {
    // Fails only without memory; an empty system store shows when the peer is verified.
    (void)::SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const std::string place = "the CA file " + options.ca_file.string() + " (--redis-tls-ca-file)";
  if (auto words = unreadable(options.ca_file, place); !words.empty()) return words;
  if (::SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) == 1) return {};
  return place + " holds no certificate in PEM form";
}

// OpenSSL would ask at the terminal, and a server hang there.
int refuse_passphrase(char* /*into*/, int /*size*/, int /*is_writing*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

bool is_mismatch(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  return ERR_GET_LIB(error) == ERR_LIB_X509 &&
         (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
}

std::string load_key(ssl_ctx_st* context, const tls_options& options) {
  const std::string place = "the key file " + options.key_file.string() + " (--redis-tls-key-file)";
  if (auto words = unreadable(options.key_file, place); !words.empty()) return words;
  bool was_asked = false;
  ::SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  ::SSL_CTX_set_default_passwd_cb_userdata(context, &was_asked);
  const bool is_loaded =
      ::SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  ::SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  ::SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (is_loaded) return {};
  if (was_asked) return place + " has a passphrase: give a key without one";
  if (is_mismatch(::ERR_peek_last_error())) {
    return place + " does not belong to the certificate in " + options.certificate_file.string();
  }
  return place + " holds no private key in PEM form";
}

std::string load_own_certificate(ssl_ctx_st* context, const tls_options& options) {
  const std::string place =
      "the certificate file " + options.certificate_file.string() + " (--redis-tls-cert-file)";
  if (auto words = unreadable(options.certificate_file, place); !words.empty()) return words;
  if (::SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return place + " holds no certificate in PEM form";
  }
  return load_key(context, options);
}

}  // namespace

std::string load_tls_files(ssl_ctx_st* context, const tls_options& options) {
  std::string words;
  if (options.certificate_file.empty() != options.key_file.empty()) {
    words =
        "a certificate for TLS needs its key: give both --redis-tls-cert-file and "
        "--redis-tls-key-file, or neither";
  }
  if (words.empty()) words = load_authorities(context, options);
  if (words.empty() && !options.certificate_file.empty()) {
    words = load_own_certificate(context, options);
  }
  ::ERR_clear_error();  // what failed is in the words; the queue belongs to the thread
  return words;
}

}  // namespace ordeal::net::redis

#include "net/redis/tls_peer.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace ordeal::net::redis {
namespace {

constexpr int names_shown_max = 5;

// The place of the tls_peer in OpenSSL's connection.
int peer_index() {
  static const int index = ::SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

template <auto Free>
struct release {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};

// Foreign bytes on their way into a log line.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 64)) result += c > ' ' && c < '\x7f' ? c : '?';
  return result;
}

std::string_view bytes_of(const ASN1_STRING* text) {
  const auto* const data = ::ASN1_STRING_get0_data(text);
  return std::string_view(reinterpret_cast<const char*>(data),
                          static_cast<std::size_t>(::ASN1_STRING_length(text)));
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return "?";
  return ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? "?" : text.data();
}

std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, release<::GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string result;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (i == names_shown_max) return result + ", ...";
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS) text = printable(bytes_of(name->d.dNSName));
    if (name->type == GEN_IPADD) text = address_text(bytes_of(name->d.iPAddress));
    if (text.empty()) continue;
    if (!result.empty()) result += ", ";
    result += text;
  }
  return result.empty() ? "none" : result;
}

std::string time_text(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, release<::BIO_free>> into(::BIO_new(::BIO_s_mem()));
  if (!into || ::ASN1_TIME_print(into.get(), time) != 1) return "an unreadable date";
  char* text = nullptr;
  const long size = BIO_get_mem_data(into.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

bool is_ip_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
}

}  // namespace

tls_peer::~tls_peer() {
  if (handshake_ != nullptr) ::SSL_set_ex_data(handshake_, peer_index(), nullptr);
}

bool tls_peer::expect(ssl_st* handshake, const std::string& name) {
  handshake_ = handshake;
  name_ = name;
  ::SSL_set_ex_data(handshake, peer_index(), this);
  ::SSL_set_verify(handshake, SSL_VERIFY_PEER, on_certificate);
  X509_VERIFY_PARAM* const wanted = ::SSL_get0_param(handshake);
  if (is_ip_address(name)) return ::X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
  ::X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // What SSL_set_tlsext_host_name is, without its cast.
  const bool is_sent = !name.empty() && ::SSL_ctrl(handshake, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                                   TLSEXT_NAMETYPE_host_name, name_.data()) == 1;
  const bool is_name =
      is_sent && ::X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size()) == 1;
  ::ERR_clear_error();
  return is_name;
}

int tls_peer::on_certificate(int is_fine, x509_store_ctx_st* store) {
  if (is_fine == 1) return 1;
  const void* const handshake =
      ::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx());
  void* const peer = ::SSL_get_ex_data(static_cast<const SSL*>(handshake), peer_index());
  if (peer != nullptr) static_cast<tls_peer*>(peer)->note_refusal(store);
  return 0;
}

void tls_peer::note_refusal(x509_store_ctx_st* store) {
  verdict_ = ::X509_STORE_CTX_get_error(store);
  const X509* const certificate = ::X509_STORE_CTX_get_current_cert(store);
  if (certificate == nullptr) return;
  certificate_names_ = names_of(certificate);
  valid_from_ = time_text(::X509_get0_notBefore(certificate));
  valid_until_ = time_text(::X509_get0_notAfter(certificate));
}

std::string tls_peer::refusal(const tls_options& options) const {
  switch (verdict_) {
    case X509_V_OK:
      return {};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the server's certificate is not for " + printable(name_) +
             ", its names are: " + certificate_names_ +
             "; give one of them as the TLS server name (--redis-tls-server-name), or let the "
             "certificate name this one";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the server's certificate has expired on " + valid_until_ +
             ": renew it there (or is the clock of this machine wrong?)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the server's certificate is valid only from " + valid_from_ +
             " on: is the clock of this machine wrong?";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      if (options.ca_file.empty()) {
        return "the server's certificate is signed by no CA that this system trusts: give the "
               "server's CA file (--redis-tls-ca-file)";
      }
      return "the server's certificate is not signed by the CA in " + options.ca_file.string() +
             ": give the server's CA file (--redis-tls-ca-file)";
    default:
      return std::string("the server's certificate cannot be verified: ") +
             ::X509_verify_cert_error_string(verdict_);
  }
}

}  // namespace ordeal::net::redis

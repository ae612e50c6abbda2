#include "tests/support/certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace ordeal::test {
namespace {

template <auto Free>
struct release {
  template <class T>
  void operator()(T* what) const noexcept {
    Free(what);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, release<::EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, release<::X509_free>>;
using file_ptr = std::unique_ptr<std::FILE, release<std::fclose>>;

void require(bool is_fine, const std::string& what) {
  if (!is_fine) throw std::runtime_error("OpenSSL: cannot " + what);
}

file_ptr open_file(const std::filesystem::path& path) {
  file_ptr file(std::fopen(path.c_str(), "w"));
  require(file != nullptr, "write " + path.string());
  return file;
}

void write_certificate(const std::filesystem::path& path, X509* certificate) {
  const file_ptr file = open_file(path);
  require(::PEM_write_X509(file.get(), certificate) == 1, "write a certificate");
}

void write_key(const std::filesystem::path& path, EVP_PKEY* key, std::string passphrase) {
  const file_ptr file = open_file(path);
  const EVP_CIPHER* const cipher = passphrase.empty() ? nullptr : ::EVP_aes_128_cbc();
  void* const secret = passphrase.empty() ? nullptr : passphrase.data();
  require(::PEM_write_PrivateKey(file.get(), key, cipher, nullptr, 0, nullptr, secret) == 1,
          "write a key");
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, release<::X509_EXTENSION_free>> extension(
      ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  require(extension != nullptr, "make the extension " + value);
  ::X509_add_ext(certificate, extension.get(), -1);
}

// Without an issuer it is its own.
certificate_ptr make_certificate(const std::string& subject, EVP_PKEY* key, X509* issuer,
                                 EVP_PKEY* issuer_key, const certificate_request& what) {
  static long serial = 1'000;
  certificate_ptr result(::X509_new());
  X509* const certificate = result.get();
  ::X509_set_version(certificate, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), ++serial);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate), what.valid_from.count());
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate), what.valid_until.count());
  ::X509_set_pubkey(certificate, key);
  const auto* const text = reinterpret_cast<const unsigned char*>(subject.c_str());
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text, -1,
                               -1, 0);
  X509* const signed_by = issuer == nullptr ? certificate : issuer;
  ::X509_set_issuer_name(certificate, ::X509_get_subject_name(signed_by));
  if (issuer == nullptr) {
    add_extension(certificate, signed_by, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, signed_by, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else if (!what.names.empty()) {
    add_extension(certificate, signed_by, NID_subject_alt_name, what.names);
  }
  require(::X509_sign(certificate, issuer_key, ::EVP_sha256()) > 0, "sign a certificate");
  return result;
}

}  // namespace

struct certificate_authority::signer {
  key_ptr key;
  certificate_ptr certificate;
};

certificate_authority::certificate_authority(std::filesystem::path directory, std::string name)
    : directory_(std::move(directory)),
      name_(std::move(name)),
      ca_file_(directory_ / (name_ + "-ca.pem")),
      signer_(std::make_unique<signer>()) {
  signer_->key.reset(EVP_EC_gen("P-256"));
  require(signer_->key != nullptr, "make a key");
  signer_->certificate =
      make_certificate(name_, signer_->key.get(), nullptr, signer_->key.get(), {});
  write_certificate(ca_file_, signer_->certificate.get());
}

certificate_authority::~certificate_authority() = default;

certificate_files certificate_authority::issue(const std::string& name,
                                               const certificate_request& what) {
  certificate_files files;
  files.certificate = directory_ / (name_ + "-" + name + ".pem");
  files.key = directory_ / (name_ + "-" + name + ".key");
  const key_ptr key(EVP_EC_gen("P-256"));
  require(key != nullptr, "make a key");
  const certificate_ptr certificate =
      make_certificate(name, key.get(), signer_->certificate.get(), signer_->key.get(), what);
  write_certificate(files.certificate, certificate.get());
  write_key(files.key, key.get(), what.passphrase);
  return files;
}

}  // namespace ordeal::test

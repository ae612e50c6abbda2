// Certificates for tests of TLS: an authority of its own in a private directory, which signs what a test wants. EC
// keys, so that one takes a millisecond. Throws std::runtime_error when OpenSSL refuses.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace ordeal::test {

struct certificate_files {
  std::filesystem::path certificate, key;
};

struct certificate_request {
  // As OpenSSL writes subjectAltName: "DNS:redis.test,IP:127.0.0.1"; empty: none.
  std::string names = "DNS:localhost,IP:127.0.0.1";
  std::chrono::seconds valid_from{-3'600};  // from now
  std::chrono::seconds valid_until{86'400};
  std::string passphrase;  // of the key file; empty: none
};

class certificate_authority {
 public:
  // Files go to `directory`, with `name` as the first part of theirs.
  certificate_authority(std::filesystem::path directory, std::string name);
  ~certificate_authority();
  certificate_authority(const certificate_authority&) = delete;
  certificate_authority& operator=(const certificate_authority&) = delete;

  const std::filesystem::path& ca_file() const { return ca_file_; }
  // Replaces the files of an earlier one of this name.
  certificate_files issue(const std::string& name, const certificate_request& what = {});

 private:
  struct signer;
  std::filesystem::path directory_;
  std::string name_;
  std::filesystem::path ca_file_;
  std::unique_ptr<signer> signer_;
};

}  // namespace ordeal::test

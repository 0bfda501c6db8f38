#ifndef IDV_CLIENT_CHANNEL_H_
#define IDV_CLIENT_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

struct Options {
  std::string target = "127.0.0.1:8080";
  std::string tls_ca;    // PEM files; without this one plaintext is spoken
  std::string tls_cert;  // with tls_key, if the client is known by a certificate
  std::string tls_key;
  std::string token_file;  // if it is known by a token
  std::string service_config;
};

// Throws std::invalid_argument, whose text has the usage in it.
Options ReadOptions(int argc, char** argv);

// The channel to the gateway. One is enough for a whole process, and all threads may use it: it
// keeps its connection, and finds a new one when that is lost. Throws std::system_error when a file
// cannot be read.
std::shared_ptr<grpc::Channel> MakeChannel(const Options& options);

#endif  // IDV_CLIENT_CHANNEL_H_

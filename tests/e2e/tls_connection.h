#pragma once

#include <string>

#include "tests/e2e/call.h"
#include "tests/upstream/certificates.h"

namespace idv::e2e {

// All of a file; empty if there is none.
std::string ReadFile(const std::string& path);

// A connection of its own, so that each makes a handshake, to whoever has the server's certificate
// of `server`. `certificate`: its name in `client`; "": none.
Client ConnectTls(const std::string& address, const TestCertificates& server,
                  const TestCertificates& client, const std::string& certificate);

}  // namespace idv::e2e

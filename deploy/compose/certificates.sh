#!/usr/bin/env bash
# Makes what compose.yaml needs for TLS, unless it is there and good for another day.
#   certificates.sh FOLDER
# The authority's key is thrown away, so nobody can make one more certificate of it: when one is missing or comes to its
# end, all are made anew. For a developer's machine only.
set -euo pipefail
umask 077

if (($# != 1)); then
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
cd "$1"

days=30
names=(gateway sandbox client)

are_good() {
  local name
  for name in "${names[@]}"; do
    [[ -s "$name.key" ]] && openssl x509 -in "$name.crt" -noout -checkend 86400 >/dev/null 2>&1 || return 1
    openssl verify -CAfile ca.crt "$name.crt" >/dev/null 2>&1 || return 1
  done
}

# Makes a key and a certificate of it. The rest are its extensions.
make() {
  local name=$1 extensions=$2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "/CN=$name" \
    -CA "$work/ca.crt" -CAkey "$work/ca.key" -keyout "$work/$name.key" -out "$work/$name.crt" \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'keyUsage=critical,digitalSignature' \
    -addext "${extensions%%;*}" -addext "${extensions##*;}" 2>/dev/null
}

if are_good; then
  echo "The certificates are good."
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj '/CN=idv-gateway for development' \
  -keyout "$work/ca.key" -out "$work/ca.crt" -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
make gateway 'subjectAltName=DNS:gateway,DNS:localhost,IP:127.0.0.1,IP:::1;extendedKeyUsage=serverAuth'
make sandbox 'subjectAltName=DNS:sandbox,DNS:localhost,IP:127.0.0.1,IP:::1;extendedKeyUsage=serverAuth'
make client 'subjectAltName=URI:spiffe://example.test/developer;extendedKeyUsage=clientAuth'

rm "$work/ca.key"
mv "$work"/* .
echo "Made certificates for $days days: $(echo ./*.crt)"

#!/usr/bin/env bash
# Fails when proto/kora/idv/v1/service_config.json is not what the annotations say.
#   tests/proto/service_config.sh           shows the difference
#   tests/proto/service_config.sh --write   writes the file anew
# The folder with idv_print_service_config is $BUILD, or build.
set -euo pipefail
cd "$(dirname "$0")/../.."

file=proto/kora/idv/v1/service_config.json
build=${BUILD:-build}
case "${1:-}" in
  "") diff -u "$file" <("$build/idv_print_service_config") || {
    echo "$file is out of date: tests/proto/service_config.sh --write"
    exit 1
  } ;;
  --write) "$build/idv_print_service_config" >"$file" ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    [[ "$1" == --help ]] || exit 2
    ;;
esac

#!/usr/bin/env bash
# Writes all protos of ours in a folder, with what they import, into a descriptor set.
#   tests/proto/descriptor_set.sh FOLDER FILE
set -euo pipefail

(($# == 2)) || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
googleapis=/usr/share/gocode/src/github.com/gogo/googleapis
mapfile -t protos < <(cd "$1" && find kora -name '*.proto' | sort)
protoc -I "$1" -I "$googleapis" --include_imports --include_source_info --descriptor_set_out="$2" "${protos[@]}"

#!/usr/bin/env bash
# Makes the root directory of an image: programs, the libraries that they need, and what these read at run time.
#   deploy/image/root.sh ROOT PROGRAM...
# Runs in the Dockerfile, on the Debian that the programs were built on. Of every package that something is taken of, its
# licence comes along, and its entry of dpkg's status, by which scanners know what is inside.
set -euo pipefail
umask 022

if (($# < 2)); then
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
root=$1
shift

fail() {
  echo "root.sh: $1" >&2
  exit 1
}

# Copies a file to where it is here, as symlinks lead there, and prints that place.
take() {
  local place
  place=$(readlink -e "$1") || fail "there is no $1"
  mkdir -p "$root$(dirname "$place")"
  cp --preserve=mode "$place" "$root$place"
  echo "$place"
}

# Prints the packages that files are of. Some say /lib of what is in /usr/lib. All are asked for at once, since each
# search goes through the lists of all packages.
packages_of() {
  local known place package
  known=$(dpkg-query --search "$@" "${@#/usr}" 2>/dev/null || true)
  for place in "$@"; do
    package=$(awk -F ': ' -v place="$place" '$2 == place || "/usr" $2 == place { print $1; exit }' <<<"$known")
    [[ -n "$package" ]] || fail "$place is of no package"
    echo "${package%%:*}"
  done
}

# Prints the libraries of a program, with the loader.
libraries_of() {
  local libraries
  libraries=$(ldd "$1")
  ! grep -F 'not found' <<<"$libraries" >&2 || fail "$1 lacks libraries"
  awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }' <<<"$libraries"
}

mkdir -p "$root"/{etc/ssl/certs,usr/bin,usr/lib,usr/share/doc,var/lib/dpkg/status.d}
for link in /lib /lib64; do
  [[ ! -L "$link" ]] || cp --no-dereference "$link" "$root$link"
done
places=()

for program in "$@"; do
  install --mode 0755 "$program" "$root/usr/bin/"
  libraries=$(libraries_of "$program")
  while read -r library; do
    place=$(take "$library")
    # By the name that the program asks for, which leads to the file.
    asked=$(readlink -e "$(dirname "$library")")/${library##*/}
    mkdir -p "$(dirname "$root$asked")"
    [[ "$asked" == "$place" ]] || ln -sfr "$root$place" "$root$asked"
    places+=("$place")
  done <<<"$libraries"
done

# Where libcurl and OpenSSL look for the authorities that are trusted unless the configuration names others.
take /etc/ssl/certs/ca-certificates.crt >/dev/null
mkdir "$root/usr/lib/ssl"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
# How names are looked up; since glibc 2.34 both ways are inside libc itself.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
# By which scanners know whose packages these are.
take /etc/os-release >/dev/null
ln -sfr "$root/usr/lib/os-release" "$root/etc/os-release"

packages=$(packages_of "${places[@]}")
for package in base-files ca-certificates $(sort -u <<<"$packages"); do
  dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
  mkdir -p "$root/usr/share/doc/$package"
  cp "$(readlink -e "/usr/share/doc/$package/copyright")" "$root/usr/share/doc/$package/copyright"
done

find "$root" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH:-0}" {} +
du -sh --apparent-size "$root"

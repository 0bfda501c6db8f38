#!/usr/bin/env python3
"""Looks through every layer of an image for what has no place in it.

    scan_image.py ARCHIVE PROGRAM...

ARCHIVE is what `podman save --format oci-archive` wrote. PROGRAMs are all that may be run in it; besides them there are
libraries. Prints the size, and exits with 1 when something is wrong.
"""

import json
import re
import sys
import tarfile

MOST_BYTES = 120_000_000
USER = "65532:65532"
# A private key, and what a repository, a compiler or a package manager would leave.
SECRETS = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
LEFTOVERS = re.compile(r"(^|/)(\.git|src|root|home|tmp|apt|include|cmake|\.cache)(/|$)|\.(a|o|h|cc|pc|sh|py|key)$")
LIBRARY = re.compile(r"^usr/lib/.*/(lib[^/]+\.so(\.[\d.]+)?|ld-linux[^/]*\.so\.\d+)$")
LABELS = ("title", "description", "version", "revision")


def blob(archive, digest):
    return archive.extractfile("blobs/" + digest.replace(":", "/"))


def wrong_with_file(entry, content, programs):
    """What is wrong with one entry of a layer."""
    path = entry.name.removeprefix("./")
    if entry.mode & 0o6000:
        yield "setuid or setgid"
    if entry.mode & 0o002 and not entry.issym():
        yield "everybody may write"
    if (entry.uid, entry.gid) != (0, 0):
        yield f"of {entry.uid}:{entry.gid}, who could change it"
    if not (entry.isdir() or entry.isreg() or entry.issym()):
        yield "neither file nor folder"
    if LEFTOVERS.search(path):
        yield "a leftover"
    if entry.isreg() and entry.mode & 0o111 and path not in programs and not LIBRARY.match(path):
        yield "can be run"
    if content.startswith(b"\x7fELF") and path not in programs and not LIBRARY.match(path):
        yield "a program or library where none should be"
    # Libraries have that text in them, to recognise keys by; a key is longer than a line.
    if not LIBRARY.match(path) and path not in programs and SECRETS.search(content):
        yield "a private key"


def wrong_with_settings(settings, programs):
    if settings.get("User") != USER:
        yield f"runs as {settings.get('User')!r}, not {USER}"
    if settings.get("Entrypoint") != ["/" + programs[0]]:
        yield f"starts {settings.get('Entrypoint')}"
    if settings.get("StopSignal") != "SIGTERM":
        yield f"is stopped by {settings.get('StopSignal')}"
    for name in LABELS:
        if not settings.get("Labels", {}).get(f"org.opencontainers.image.{name}"):
            yield f"has no label {name}"
    for variable in settings.get("Env", []):
        if not variable.startswith("PATH="):
            yield f"sets {variable.partition('=')[0]}"


def main(path, *programs):
    problems, total, files = [], 0, 0
    with tarfile.open(path) as archive:
        index = json.load(archive.extractfile("index.json"))
        manifest = json.load(blob(archive, index["manifests"][0]["digest"]))
        settings = json.load(blob(archive, manifest["config"]["digest"]))["config"]
        problems += wrong_with_settings(settings, programs)
        for layer in manifest["layers"]:
            with tarfile.open(fileobj=blob(archive, layer["digest"])) as content:
                for entry in content:
                    data = content.extractfile(entry).read() if entry.isreg() else b""
                    total += len(data)
                    files += entry.isreg()
                    problems += [f"/{entry.name.removeprefix('./')}: {what}" for what in wrong_with_file(entry, data, programs)]
    if total > MOST_BYTES:
        problems.append(f"{total} bytes are more than {MOST_BYTES}")
    print(f"{total / 1e6:.1f} MB in {files} files of {len(manifest['layers'])} layer(s), {len(problems)} problem(s)")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
"""Runs the examples of README.md as they stand there, with deploy/local.sh serving as it tells the reader to have it.

Every command of it must be known here: one that is run, or one that is not, and why. What stands for something of the
reader's own, such as FILE or HOST, is replaced. Nothing but /tmp and build/ is written to.
"""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/clients"))
import run as clients  # noqa: E402, found by the line above
PATH = f"{ROOT / 'build/tools/bin'}:{os.environ['PATH']}"
LIMIT = 300  # seconds for one command
SERVING = "Serving until Ctrl-C"

# Commands that are not run, by how they begin: their program must be there, and know the flags.
NOT_RUN = {
    "tests/run.sh": "it runs this",
    "tests/bench/": "takes minutes",
    "tests/fuzz/": "takes minutes",
    "deploy/setup.sh": "installs packages",
    "docker ": "takes an engine; tests/deploy/image.sh runs what it would",
    "tests/deploy/image.sh": "takes ten minutes and root",
}
# What a reader puts in, by what stands for it.
READERS_OWN = {
    "helm install idv-gateway deploy/helm/idv-gateway --values values.yaml":
        "build/tools/helm4 template idv-gateway deploy/helm/idv-gateway --values deploy/helm/idv-gateway/ci/mtls-values.yaml",
    "build/idv-gateway --config FILE": "IDV_SANDBOX_KEY=x build/idv-gateway --check --config deploy/local.yaml",
}
# The same of who is known to a gateway with TLS: names of clients.Programs.
KNOWN_BY = {"ca.crt": "ca.pem", "client.crt": "client.pem", "client.key": "client.key", "/var/run/secrets/tokens/idv": "token"}


class Failed(Exception):
    """An example does not do what it says."""


def blocks(text):
    """The indented blocks and the fenced ones of a Markdown text: (language, content); "" for the indented ones."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```\n|^((?:    [^\n]*\n|\n(?=    ))+)", text, re.M | re.S):
        language, fenced, indented = match.groups()
        if indented is None:
            yield language or "text", fenced
        else:
            yield "", textwrap.dedent(indented)


def commands(block):
    """Its commands, without their comments; those that go on in the next line as one."""
    for line in block.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)\s*# .*", "", line).strip()
        if command:
            yield re.sub(r"\s+", " ", command)


def is_shell(language, block):
    """Log lines are indented too."""
    return language == "" and not block.lstrip().startswith("{")


def check_there(command):
    """Of one that is not run: whether its program is there and knows its flags."""
    program, *arguments = shlex.split(command)
    for path in arguments:
        if path.startswith("deploy/") and not (ROOT / path).exists():
            raise Failed(f"{path} is not there")
    if "/" not in program:
        return
    path = ROOT / program
    if not os.access(path, os.X_OK):
        raise Failed(f"{program} is not there, or no program")
    text = path.read_text(encoding="utf-8")
    for flag in arguments:
        if flag.startswith("--") and flag not in text:
            raise Failed(f"{program} does not know {flag}")


def run_script(script, expected=(0,), **options):
    """Runs a script of bash in the repository."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, timeout=LIMIT, check=False, **options,
    )
    if done.returncode not in expected:
        raise Failed(f"exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def serving():
    """deploy/local.sh, as in another terminal of the reader's."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([ROOT / "deploy/local.sh"], cwd=ROOT, stdout=output, stderr=output, start_new_session=True)

        def printed():
            output.seek(0)
            return output.read()

        try:
            end = time.monotonic() + LIMIT
            while SERVING not in printed():
                if process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"deploy/local.sh does not serve:\n{printed()}")
                time.sleep(0.2)
            yield printed()
        finally:
            process.send_signal(signal.SIGINT)  # Ctrl-C
            code = process.wait(60)
        if code != 0:
            raise Failed(f"deploy/local.sh ends with {code} after Ctrl-C:\n{printed()}")


def run_verify(command):
    """With the exit code that README.md promises for the decision."""
    expected = 1 if "test-reject" in command else 0
    run_script(command, expected=(expected,))


def run_verify_with_tls(command):
    """At a gateway that knows the caller, of two tenants, by a certificate or a token."""
    with clients.Programs(ROOT / "build") as programs:
        address = programs.start_gateway(programs.start_sandbox([]))
        words = [programs.path(KNOWN_BY[word]) if word in KNOWN_BY else word for word in command.split()]
        run_script(shlex.join(words).replace("HOST:8443", address) + " --tenant acme")


def run_python(readme):
    """The program, from where it says that it is, by the command that it says."""
    path, command = re.search(r"`(/tmp/\S+\.py)`, run with `([^`]+)`", readme).groups()
    program = next(content for language, content in blocks(readme) if language == "python")
    pathlib.Path(path).write_text(program, encoding="utf-8")
    printed = run_script(command)
    if not re.fullmatch(r"\S+ pending\nNOT_FOUND VERIFICATION_NOT_FOUND \{.*'blame': 'caller'.*\}\n", printed):
        raise Failed(f"prints:\n{printed}")


def run_node(readme):
    """In a folder like this one, so that npm puts nothing into this one."""
    install = re.search(r"`(npm install [^`]+)`", readme).group(1)
    program = next(content for language, content in blocks(readme) if language == "js")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "proto").symlink_to(ROOT / "proto")
        run_script(f"cd {folder} && {install} --no-audit --no-fund --loglevel=error && node -e {shlex.quote(program)}")


def examples(readme):
    """All, in their order: (what it is, what to do, why that is not to run it)."""
    for language, block in blocks(readme):
        if language == "python":
            yield "the program in Python", lambda: run_python(readme), ""
        elif language == "js":
            yield "the program for Node.js", lambda: run_node(readme), ""
        if not is_shell(language, block):
            continue
        lines = list(commands(block))
        if any(re.match(r"\w+=\$", line) for line in lines):  # one script
            yield lines[0] + " ...", lambda script=block: run_script(script), ""
            continue
        for line in lines:
            command = line
            for own, ours in READERS_OWN.items():
                command = command.replace(own, ours)
            yield line, *action(command)


def fail_as_new():
    raise Failed("is new here: say in tests/readme/examples.py how it is run, or why it is not")


def action(command):
    """What to do with a command, and why that is not to run it."""
    if command == "deploy/local.sh":
        return lambda: None, "serves while all of this runs"
    for beginning, why in NOT_RUN.items():
        if command.startswith(beginning):
            return lambda: check_there(command), why
    if command.startswith("build/idv-verify --target HOST"):
        return lambda: run_verify_with_tls(command), ""
    if command.startswith("build/idv-verify"):
        return lambda: run_verify(command), ""
    if command.startswith(("build/", "IDV_SANDBOX_KEY=x build/", "cmake ", "deploy/local.sh --once", "grpcurl ", "kubectl kustomize ")):
        return lambda: run_script(command), ""
    return fail_as_new, ""


def missing_tool():
    for tool in ("grpcurl", "npm"):
        if not shutil.which(tool, path=PATH):
            return tool
    return ""


def main():
    missing = missing_tool()
    if missing:
        print(f"SKIPPED readme.examples: no {missing}")
        return 77
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    failed = 0
    with serving():
        for name, act, why_not in examples(readme):
            print(f"{name}{why_not and '    not run: '}{why_not}", flush=True)
            try:
                act()
            except (Failed, AssertionError, OSError, subprocess.SubprocessError) as problem:
                print(textwrap.indent(f"FAILED: {problem}", "    "))
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

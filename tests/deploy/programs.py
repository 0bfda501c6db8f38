"""What the tests of this folder run: tools of build/tools, and the gateway's programs as the files of deploy/ configure them."""

import contextlib
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build/tools/bin"  # see deploy/setup.sh
PROMTOOL = ROOT / "build/prometheus/usr/bin/promtool"


def output(*command, **options):
    """What a command prints. That it fails is shown with all that it has to say."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Programs(contextlib.ExitStack):
    """Programs of the build that run until the end of a test, and a folder of their own."""

    def __init__(self, build):
        super().__init__()
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def start(self, name, *arguments, **options):
        """Starts a program and returns the addresses that it says it listens on."""
        log = self.folder / f"{name}.log"
        with log.open("w") as stderr:
            command = [self.build / name, *arguments]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, **options)
        self.callback(process.stdout.close)
        self.callback(process.wait)
        self.callback(process.kill)
        lines = [process.stdout.readline() for _ in range(2 if name == "idv-gateway" else 1)]
        if not all(line.startswith("listening on ") for line in lines):
            raise AssertionError(f"{name} does not listen:\n{''.join(lines)}{log.read_text()}")
        return [line.split()[-1] for line in lines]

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def verify(self, *arguments):
        """Runs a whole verification, which must be VERIFIED."""
        return output(self.build / "idv-verify", *arguments)

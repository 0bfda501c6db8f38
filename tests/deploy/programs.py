"""What the tests of this folder run: tools of build/tools, and the gateway's programs as the files of deploy/ configure them."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import running_programs  # noqa: E402, found by the line above

TOOLS = ROOT / "build/tools/bin"  # see deploy/setup.sh
PROMTOOL = ROOT / "build/prometheus/usr/bin/promtool"


def output(*command, **options):
    """What a command prints. That it fails is shown with all that it has to say."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Programs(running_programs.Programs):
    def verify(self, *arguments):
        """Runs a whole verification, which must be VERIFIED."""
        return output(self.build / "idv-verify", *arguments)

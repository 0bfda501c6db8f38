"""Programs that tests run: those of the build, and others beside them."""

import contextlib
import pathlib
import subprocess
import tempfile


class Programs(contextlib.ExitStack):
    """Programs that run until the end of a test, and a folder of their own, with their logs."""

    def __init__(self, build):
        super().__init__()
        self.build = pathlib.Path(build)
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def launch(self, name, *command, **options):
        """Starts a program; its log is NAME.log."""
        with (self.folder / f"{name}.log").open("w") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, **options)
        self.callback(process.stdout.close)
        self.callback(process.wait)
        self.callback(process.kill)
        return process

    def start(self, name, *arguments, listeners=1, **options):
        """Starts a program of the build and returns the addresses that it says it listens on, so many."""
        process = self.launch(name, self.build / name, *arguments, **options)
        lines = [process.stdout.readline() for _ in range(listeners)]
        if not all(line.startswith("listening on ") for line in lines):
            log = (self.folder / f"{name}.log").read_text(encoding="utf-8")
            raise AssertionError(f"{name} does not listen:\n{''.join(lines)}{log}")
        return [line.split()[-1] for line in lines]

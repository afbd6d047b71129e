"""What a process of a test does; imports nothing that takes long."""

import contextlib
import os
import sys
import time
from pathlib import Path

from emogram.errors import AudioError


def emogram_command(words: list[str], output: Path) -> None:
    """End with the status of `emogram` with these words; its standard output goes to a file."""
    from emogram.cli import main

    with output.open("w") as file, contextlib.redirect_stdout(file):
        status = main(words)
    sys.exit(status)


def study_command(words: list[str], output: Path, cache: Path) -> None:
    """As `emogram_command`, with decoded audio in a cache, and one thread for each run."""
    from emogram.studies import runner

    os.environ["EMOGRAM_CACHE"] = str(cache)
    runner.threads_each = lambda workers: 1
    emogram_command(words, output)


def work(what: str, folder: Path) -> str:
    """Die, fail, break, take for ever, or answer."""
    if what == "die":
        os._exit(9)
    if what == "fail":
        raise AudioError("a.wav", "is odd", "mend it")
    if what == "break":
        raise OSError(28, "No space left on device")
    if what == "for ever":
        partial = folder / "process.partial"
        partial.write_text(str(os.getpid()))
        partial.rename(folder / "process")
        time.sleep(300)
    return what


def doubled(what: str) -> str:
    """Die, fail, take for ever, or answer twice over."""
    if what == "sleep":
        time.sleep(300)
    return 2 * work(what, Path())

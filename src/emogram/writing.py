"""Files that are written whole or not at all, whoever reads or writes them meanwhile."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".partial"
"""Of what is being written."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write a file to, which takes its name at the end of the block.

    A reader of `path` sees the old file or the new one, never a part. Where the block fails, nothing is left behind. Processes and
    threads that write the same file do not meet; the last one stays.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}{SUFFIX}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)

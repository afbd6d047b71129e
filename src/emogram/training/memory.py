"""Memory that a fit gives back and asks for again a moment later stays with the process."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

_GLIBC = platform.libc_ver()[0] == "glibc"

# Of glibc's malloc.h. The values after a fit are those where its own adjustment of both thresholds ends.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_DURING = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1}
_AFTER = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 32 * 2**20, _TRIM_THRESHOLD: 64 * 2**20}


@contextmanager
def kept() -> Iterator[None]:
    """Let the allocator keep what is freed until the context ends, and then give it all back.

    Every step of a fit makes and frees the same feature maps. glibc hands maps of that size back to the system, which clears
    each page when it is touched again: a seventh of a step of ``cnn-base`` on two threads. The price is memory: maps of other
    lengths do not fit where these were, so what was freed is to be given back now and then (`release`). Other C libraries are left as
    they are.
    """
    if not _GLIBC:
        yield
        return
    _set(_DURING)
    try:
        yield
    finally:
        _set(_AFTER)
        release()


def release() -> None:
    """Give what is free at the moment back to the system."""
    if _GLIBC:
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))


def _set(values: dict[int, int]) -> None:
    library = ctypes.CDLL(None)
    for name, value in values.items():
        library.mallopt(ctypes.c_int(name), ctypes.c_int(value))

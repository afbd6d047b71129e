"""What a fit frees stays with the process until the fit ends."""

import platform
import resource
from pathlib import Path

import pytest
import torch

from emogram.training import memory

_BYTES = 48 * 2**20  # more than glibc ever keeps of its own accord

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of glibc alone is told")


def _touched_anew(rounds: int) -> int:
    """Pages that the system has to give while a map is made and freed so many times."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.zeros(_BYTES, dtype=torch.uint8).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def test_within_it_a_map_freed_is_the_next_one_made() -> None:
    rounds = 8
    pages = _BYTES // resource.getpagesize()
    with memory.kept():
        _touched_anew(1)
        assert _touched_anew(rounds) < rounds * pages / 2  # the heap may still grow once or twice


def test_after_it_the_memory_is_given_back() -> None:
    before = _resident_bytes()
    with memory.kept():
        _touched_anew(1)
        within = _resident_bytes()
    assert within - before > _BYTES / 2
    assert _resident_bytes() - before < _BYTES / 2


def _fails_within() -> None:
    with memory.kept():
        _touched_anew(1)
        raise RuntimeError


def test_it_ends_with_an_error_as_well() -> None:
    before = _resident_bytes()
    with pytest.raises(RuntimeError):
        _fails_within()
    assert _resident_bytes() - before < _BYTES / 2

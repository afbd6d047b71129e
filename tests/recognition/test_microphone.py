"""The microphone, without one: what is said where something is missing, and what becomes of its blocks."""

import sys
import types
from typing import Any

import numpy as np
import pytest

from emogram.errors import AudioError, MissingExtraError
from emogram.recognition import microphone
from emogram.recognition.microphone import Microphone


class PortAudioError(Exception):
    pass


class Device:
    """As much of sounddevice as is used: an input stream that gives three blocks as it starts."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.closed = False

    def start(self) -> None:
        for value in range(3):
            block = np.full((10, 1), value, np.float32)
            self.settings["callback"](block, 10, None, None)
            block[:] = -1

    def close(self) -> None:
        self.closed = True


def pretend(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    module = types.SimpleNamespace(
        PortAudioError=PortAudioError,
        InputStream=Device,
        query_devices=lambda device, kind: {"default_samplerate": 44_100.0},
    )
    module.__dict__.update(changes)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


def fail(*_: object, **__: object) -> None:
    raise PortAudioError("Error querying device -1")


def test_blocks_come_in_order_and_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with Microphone() as ear:
        blocks = iter(ear)
        assert [next(blocks).tolist() for _ in range(3)] == [[value] * 10 for value in (0.0, 1.0, 2.0)]
    assert ear.sample_rate == 44_100
    assert ear._stream.settings["blocksize"] == 2205
    assert ear._stream.closed


def test_the_oldest_sound_goes_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    monkeypatch.setattr(microphone, "_MOST_WAITING", 2)
    with Microphone() as ear:
        assert next(iter(ear))[0] == 1
        assert ear.dropped == 1


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"emogram\[microphone\]"):
        Microphone()


def test_without_portaudio_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, *_: object, **__: object) -> object:
        raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr("builtins.__import__", load)
    with pytest.raises(AudioError, match="needs the library PortAudio"):
        microphone._sounddevice()


@pytest.mark.parametrize("broken", ["query_devices", "InputStream"])
def test_without_a_device_it_is_said(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    pretend(monkeypatch, **{broken: fail})
    with pytest.raises(AudioError, match=r"no input device 'usb' that works \(Error querying device -1\)"):
        Microphone("usb")

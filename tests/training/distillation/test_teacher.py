"""The teacher's frames: what its encoder gives, in pairs, kept under a name that follows from all that matters."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from emogram.augmentation.noise import NoiseSettings
from emogram.augmentation.stretching import SpeedSettings
from emogram.errors import ConfigurationError, ModelError
from emogram.training.cache import AudioCache
from emogram.training.data import ClipDataset
from emogram.training.distillation.alignment import FrameGrid
from emogram.training.distillation.frames import FrameDataset
from emogram.training.distillation.settings import DistillationSettings
from emogram.training.distillation.teacher import TeacherFrames, load_teacher
from emogram.training.material import Material
from tests.training import runs
from tests.training.distillation import teachers

STUDENT = FrameGrid(0.08, 0.0, 384)


def settings(teacher: Path, **fields: Any) -> DistillationSettings:
    return DistillationSettings(teacher=teacher, **{"size": "whisper-tiny", "block": 1, **fields})


def frames(
    teacher: Path, folder: Path, cache: AudioCache, speed: float = 0.15, step_s: float = STUDENT.step, **fields: Any
) -> TeacherFrames:
    chosen = load_teacher(settings(teacher, **fields), runs.RATE)
    chain = (SpeedSettings(factor=(1 - speed, 1 + speed)),)
    return TeacherFrames(folder, chosen, cache, chain, student_step_s=step_s)


@pytest.fixture(scope="module")
def cache(material: runs.Material) -> AudioCache:
    return AudioCache(material.cache, runs.RATE)


def test_they_are_means_of_two_positions(published: Path, cache: AudioCache, split: Material, tmp_path: Path) -> None:
    kept = frames(published, tmp_path, cache)
    for clip in split.split.train[:3]:
        wave = torch.from_numpy(kept.wave(clip, 1))
        with torch.no_grad():
            positions = teachers.encoder()(kept.spectrogram(wave[None]))[0][0][0].numpy()
        pairs = [positions[start : start + 2].mean(axis=0) for start in range(0, len(positions), 2)]
        given = kept(clip, 1)
        assert given.dtype == np.float16
        assert given.shape == (-(-len(positions) // 2), teachers.SMALL.width)
        np.testing.assert_allclose(given, pairs, atol=2e-3 * np.abs(pairs).max())


def test_a_student_of_shorter_frames_has_every_position(
    published: Path, cache: AudioCache, split: Material, tmp_path: Path
) -> None:
    kept = frames(published, tmp_path, cache, step_s=0.02)
    assert (kept.grid.step, kept.grid.first) == (0.02, 0.0)
    assert kept.folder != frames(published, tmp_path, cache, step_s=0.04).folder
    wave = torch.from_numpy(kept.wave(split.split.train[0], 0))
    with torch.no_grad():
        positions = teachers.encoder()(kept.spectrogram(wave[None]))[0][0][0].numpy()
    np.testing.assert_allclose(kept(split.split.train[0], 0), positions, atol=2e-3 * np.abs(positions).max())


def test_a_clip_beyond_the_positions_has_frames_for_thirty_seconds(
    published: Path, cache: AudioCache, tmp_path: Path
) -> None:
    kept = frames(published, tmp_path, cache)
    with torch.inference_mode():
        assert len(kept.output(torch.randn(33 * runs.RATE))) == 750
        assert len(kept.output(torch.randn(1))) == 1


def test_a_click_is_heard_where_it_is(published: Path, cache: AudioCache, split: Material, tmp_path: Path) -> None:
    """Through spectrogram, stem and pairs: what a click changes most is the student's frame that it lies in."""
    kept = frames(published, tmp_path, cache)
    kept.encoder.layers = torch.nn.ModuleList([torch.nn.Identity()])  # a block may look anywhere
    kept.encoder.layers[0].forward = lambda x, mask=None: x
    dataset = data(kept, split, None)
    hum = 0.01 * torch.sin(torch.arange(2 * runs.RATE) * 0.3)
    for n, offset_s in ((3, -0.02), (3, 0.02), (9, 0.0), (20, 0.015)):
        clicked = hum.clone()
        clicked[round((n * STUDENT.step + offset_s) * runs.RATE)] += 1.0
        with torch.inference_mode():
            given = [dataset.averaged(kept.output(wave), len(wave))[0] for wave in (hum, clicked)]
        assert int((given[1] - given[0]).abs().sum(dim=1).argmax()) == n


def data(kept: TeacherFrames, split: Material, crop_s: float | None) -> FrameDataset:
    clips: ClipDataset = split.dataset("train", kept.cache)
    return FrameDataset(clips, kept, STUDENT, 0.01, copies=1 if crop_s else 0, seed=0, crop_s=crop_s)


def test_a_crop_has_the_frames_of_its_time(published: Path, cache: AudioCache, split: Material, tmp_path: Path) -> None:
    """A crop that begins a whole number of frames later has the same frames, but for its edges; epochs differ."""
    kept = frames(published, tmp_path, cache)
    dataset = data(kept, split, 0.5)
    clip = max(split.split.train, key=lambda clip: clip.duration_s)
    every, _ = dataset.averaged(kept(clip, 0), round(clip.duration_s * runs.RATE))
    later, real = dataset.averaged(kept(clip, 0), runs.RATE, start=round(3 * STUDENT.step * runs.RATE))
    assert bool(real.all())
    torch.testing.assert_close(later, every[3 : 3 + len(later)])
    place = split.split.train.index(clip)
    items = [dataset[epoch, place] for epoch in (0, 0, 1, 2, 3)]
    assert {len(item.heard.wave) for item in items} == {runs.RATE // 2}
    assert torch.equal(items[0].frames, items[1].frames)
    assert len({float(item.heard.wave.std()) for item in items}) == 4


def test_noise_that_the_student_hears_alone(
    published: Path, cache: AudioCache, split: Material, tmp_path: Path
) -> None:
    """The teacher's frames are those without it; every epoch has another."""
    kept = frames(published, tmp_path, cache)
    clips: ClipDataset = split.dataset("train", kept.cache)
    noise = NoiseSettings(probability=1.0, snr_db=(6.0, 6.0))
    quiet, noisy = (
        FrameDataset(clips, kept, STUDENT, 0.01, copies=0, seed=0, crop_s=None, noise=heard) for heard in ((), (noise,))
    )
    first, again, other, without = noisy[0, 2], noisy[0, 2], noisy[1, 2], quiet[0, 2]
    assert torch.equal(first.heard.wave, again.heard.wave)
    assert not torch.equal(first.heard.wave, other.heard.wave)
    assert torch.equal(first.frames, without.frames)
    added = first.heard.wave - without.heard.wave
    snr_db = 10 * torch.log10(without.heard.wave.square().mean() / added.square().mean())
    assert abs(float(snr_db) - 6.0) < 0.1


def test_the_folder_follows_from_all_that_matters(published: Path, cache: AudioCache, tmp_path: Path) -> None:
    first = frames(published, tmp_path, cache).folder
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(published.read_bytes())
    assert frames(copy, tmp_path, cache).folder == first
    others = {
        frames(published, tmp_path, cache, speed=0.1).folder,
        frames(published, tmp_path, cache, block=2).folder,
        frames(teachers.publish(tmp_path / "other.safetensors", seed=4), tmp_path, cache).folder,
    }
    assert len(others | {first}) == 4


def test_a_run_that_fine_tuned_it_is_a_teacher(split: Material, tmp_path: Path) -> None:
    run = teachers.run_folder(tmp_path / "run", split.split.parts(), weights=True)
    given: dict[str, Tensor] = load_teacher(settings(run), runs.RATE).encoder.state_dict()
    for name, tensor in teachers.encoder(5).first_blocks(1).items():
        assert torch.equal(given[name], tensor)
    with pytest.raises(ConfigurationError, match=r"distillation\.block=3: the network of .* has 2; choose at most"):
        load_teacher(settings(run, block=3), runs.RATE)
    with pytest.raises(ConfigurationError, match="a run of whisper-tiny, not of whisper-base; choose another run or"):
        load_teacher(settings(run, size="whisper-base"), runs.RATE)


def test_a_file_that_does_not_fit_is_refused(published: Path, tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(ModelError, match=r"text\.safetensors: cannot be read .*; give distillation\.teacher the pub"):
        load_teacher(settings(tmp_path / "text.safetensors"), runs.RATE)
    with pytest.raises(ModelError, match="has other shapes of"):
        load_teacher(settings(published, size="whisper-base", block=1), runs.RATE)
    with pytest.raises(ModelError, match=r"lacks layers\.2"):
        load_teacher(settings(published, block=3), runs.RATE)
    with pytest.raises(ConfigurationError, match=r"audio\.sample_rate=8000: Whisper was trained at 16000 Hz"):
        load_teacher(settings(published), 8000)

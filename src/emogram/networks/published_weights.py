"""Published weights that fit a network here: where they lie, what they are allowed for, what pictures they know.

Files of others, downloaded by whoever wants them. Checksums are those of the publisher where one is stated (Zenodo states
MD5); GitHub states none for these releases, so there the SHA-256 is that found in several independent projects that pin it.
Nobody checked by loading them here: the number of parameters, and of EfficientAT's tensors, agrees with the networks.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PublishedFrontEnd:
    """The spectrogram that published weights were trained on; a network fed with another one must be told so.

    Args:
        sample_rate: Hz.
        n_fft: length of the transform, samples.
        window_ms: length of the Hann window.
        hop_ms: step from frame to frame.
        n_mels: number of bands.
        fmin_hz: lower edge of the first band.
        fmax_hz: upper edge of the last band.
        mel_scale: formula of the scale; ``kaldi`` is 1127 ln(1 + f / 700) with triangles even in mel.
        area_normalised: filters of equal area instead of equal height.
        compression: of power: ``db`` is 10 log10 of at least the floor, ``log`` the natural logarithm of power plus floor.
        floor: see `compression`.
        preemphasis: share of the sample before that is subtracted; 0: none.
        shift: added to the compressed value.
        scale: then multiplied with it.
        differs: how our own log-mel spectrogram differs, beyond settings it has.
    """

    sample_rate: int
    n_fft: int
    window_ms: float
    hop_ms: float
    n_mels: int
    fmin_hz: float
    fmax_hz: float
    mel_scale: Literal["slaney", "kaldi"]
    area_normalised: bool
    compression: Literal["db", "log"]
    floor: float
    differs: str
    preemphasis: float = 0.0
    shift: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class PublishedWeights:
    """One published file.

    Args:
        network: name of the network it fits, built on the front end's bands.
        address: of the file.
        checksum: ``md5:…`` or ``sha256:…``; None where nobody states one.
        stated_by_publisher: the checksum is the publisher's own.
        licence: of the weights.
        citation: paper.
        parameters: number of trained numbers with `classes` classes.
        classes: of the publisher's last layer; 0 where it has none.
        within: key of the file under which the tensors lie, empty for the top.
        ignore: names in the file that belong to no network, for `strict_load`; beside them ``head``, unless all classes
            are wanted.
        front_end: the pictures that it knows.
    """

    network: str
    address: str
    checksum: str | None
    stated_by_publisher: bool
    licence: str
    citation: str
    parameters: int
    classes: int
    within: str
    ignore: tuple[str, ...]
    front_end: PublishedFrontEnd


_PANNS_DIFFERS = (
    "ours adds a floor before a natural logarithm (10 log10 of at least 1e-10 there), has filters of equal height and the "
    "HTK scale by default, and sees silence beyond the clip's ends (its mirror image there); give mel_scale, fmin_hz, "
    "fmax_hz, and multiply by 10 / ln 10"
)
PANNS_32K = PublishedFrontEnd(
    sample_rate=32_000,
    n_fft=1024,
    window_ms=32.0,
    hop_ms=10.0,
    n_mels=64,
    fmin_hz=50.0,
    fmax_hz=14_000.0,
    mel_scale="slaney",
    area_normalised=True,
    compression="db",
    floor=1e-10,
    differs=_PANNS_DIFFERS,
)
PANNS_16K = PublishedFrontEnd(
    sample_rate=16_000,
    n_fft=512,
    window_ms=32.0,
    hop_ms=10.0,
    n_mels=64,
    fmin_hz=50.0,
    fmax_hz=8_000.0,
    mel_scale="slaney",
    area_normalised=True,
    compression="db",
    floor=1e-10,
    differs=_PANNS_DIFFERS,
)
EFFICIENTAT = PublishedFrontEnd(
    sample_rate=32_000,
    n_fft=1024,
    window_ms=25.0,
    hop_ms=10.0,
    n_mels=128,
    fmin_hz=0.0,
    fmax_hz=15_000.0,
    mel_scale="kaldi",
    area_normalised=False,
    compression="log",
    floor=1e-5,
    preemphasis=0.97,
    shift=4.5,
    scale=0.2,
    differs="ours has no pre-emphasis, triangles even in Hz (in mel there), a periodic window (symmetric there), and sees "
    "silence beyond the clip's ends (its mirror image there)",
)
BYOL_A = PublishedFrontEnd(
    sample_rate=16_000,
    n_fft=1024,
    window_ms=64.0,
    hop_ms=10.0,
    n_mels=64,
    fmin_hz=60.0,
    fmax_hz=7_800.0,
    mel_scale="slaney",
    area_normalised=True,
    compression="log",
    floor=1.1920929e-07,
    differs="standardised by the mean and deviation of the corpus at hand, as ours; ours has filters of equal height and the "
    "HTK scale by default, and sees silence beyond the clip's ends (its mirror image there)",
)

_PANNS_CITATION = "Kong et al. (2020), PANNs, IEEE/ACM TASLP 28, doi:10.1109/TASLP.2020.3030497"
_MN_CITATION = "Schmid, Koutini and Widmer (2023), Efficient Large-Scale Audio Tagging, ICASSP, arXiv:2211.04772"
_ZENODO = "https://zenodo.org/records/3987831/files/"
_RELEASES = "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/"


def _pann(network: str, file: str, md5: str, parameters: int, front_end: PublishedFrontEnd) -> PublishedWeights:
    return PublishedWeights(
        network=network,
        address=f"{_ZENODO}{file}?download=1",
        checksum=f"md5:{md5}",
        stated_by_publisher=True,
        licence="CC BY 4.0",
        citation=_PANNS_CITATION,
        parameters=parameters,
        classes=527,
        within="model",
        ignore=("spectrogram_extractor", "logmel_extractor"),
        front_end=front_end,
    )


def _mobilenet(network: str, file: str, sha256: str, parameters: int) -> PublishedWeights:
    return PublishedWeights(
        network=network,
        address=_RELEASES + file,
        checksum=f"sha256:{sha256}",
        stated_by_publisher=False,
        licence="MIT",
        citation=_MN_CITATION,
        parameters=parameters,
        classes=527,
        within="",
        ignore=(),
        front_end=EFFICIENTAT,
    )


PUBLISHED: dict[str, PublishedWeights] = {
    "cnn6-audioset": _pann("cnn6", "Cnn6_mAP%3D0.343.pth", "e25e26b84585b14c7754c91e48efc9be", 4_837_455, PANNS_32K),
    "cnn10-audioset": _pann("cnn10", "Cnn10_mAP%3D0.380.pth", "bfb1f1f9968938fa8ef4012b8471f5f6", 5_219_279, PANNS_32K),
    "cnn14-audioset": _pann(
        "cnn14", "Cnn14_mAP%3D0.431.pth", "541141fa2ee191a88f24a3219fff024e", 80_753_615, PANNS_32K
    ),
    "cnn14-audioset-16k": _pann(
        "cnn14", "Cnn14_16k_mAP%3D0.438.pth", "362fc5ff18f1d6ad2f6d464b45893f2c", 80_753_615, PANNS_16K
    ),
    "mn04-audioset": _mobilenet(
        "mn04",
        "mn04_as_mAP_432.pt",
        "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
        983_599,
    ),
    "mn10-audioset": _mobilenet(
        "mn10",
        "mn10_as_mAP_471.pt",
        "0bd7dc2443af498c289a2e739f02ebb515d6aa3fd3ab9db539c86123ae368a4e",
        4_876_831,
    ),
    "audiontt-byola": PublishedWeights(
        network="audiontt",
        address="https://github.com/nttcslab/byol-a/raw/master/v2/AudioNTT2022-BYOLA-64x96d2048.pth",
        checksum=None,
        stated_by_publisher=False,
        licence="NTT software licence for evaluation: research only, not to be passed on",
        citation="Niizumi et al. (2023), BYOL for Audio, IEEE/ACM TASLP 31, arXiv:2204.07402",
        parameters=6_333_376,
        classes=0,
        within="",
        ignore=(),
        front_end=BYOL_A,
    ),
}
"""Published weights by a name of ours."""


@dataclass(frozen=True)
class PublishedEncoder:
    """A published encoder: where its file lies, and its checksum, None where it is not known here."""

    address: str
    checksum: str | None


def _whisper(size: str, revision: str, sha256: str | None) -> PublishedEncoder:
    return PublishedEncoder(
        f"https://huggingface.co/openai/whisper-{size}/resolve/{revision}/model.safetensors",
        None if sha256 is None else f"sha256:{sha256}",
    )


ENCODERS: dict[str, PublishedEncoder] = {
    "whisper-tiny": _whisper("tiny", "169d4a4341b33bc18d8881c4b69c2e104e1cc0af", None),
    "whisper-base": _whisper(
        "base",
        "e37978b90ca9030d5170a5c07aadb050351a65bb",
        "07cadb9f25677c8d50df603e66a98fbd842cce45047139baeb16e6219a1e807b",
    ),
    "whisper-small": _whisper(
        "small",
        "973afd24965f72e36ca33b3055d56a652f456b4d",
        "1d7734884874f1a1513ed9aa760a4f8e97aaa02fd6d93a3a85d27b2ae9ca596b",
    ),
}
"""Whisper's encoders (Radford et al. 2023; MIT licence) at a fixed revision, by the name of the network."""

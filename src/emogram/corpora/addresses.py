"""Where corpora can be had: the archives with a public address, and the steps to the others.

The checksums of the Zenodo archives are the MD5 sums that the records themselves state: RAVDESS's as quoted by several
independent users who verified their downloads against them, EmoDB's as quoted by one. The Dataverse packs TESS anew for
every download, so its archive has no checksum: what arrives is tested by unpacking it, which verifies every file's own CRC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A zip file at a public address.

    Attributes:
        url: where it is.
        folder: the folder that it is unpacked into, below the one that the user names.
        size_bytes: its size; 0 where it is not known beforehand.
        checksum: algorithm and hexadecimal digest, ``md5:…``; None where there is none to compare with.
    """

    url: str
    folder: str
    size_bytes: int = 0
    checksum: str | None = None


_RAVDESS_SPEECH = Archive(
    url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
    folder="Audio_Speech_Actors_01-24",
    size_bytes=208_468_073,
    checksum="md5:bc696df654c87fed845eb13823edef8a",
)
_RAVDESS_SONG = Archive(
    url="https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip",
    folder="Audio_Song_Actors_01-24",
    size_bytes=225_505_317,
    checksum="md5:5411230427d67a21e18aa4d466e6d1b9",
)

ARCHIVES: dict[str, tuple[Archive, ...]] = {
    "ravdess": (_RAVDESS_SPEECH, _RAVDESS_SONG),
    "ravdess-speech": (_RAVDESS_SPEECH,),
    "ravdess-song": (_RAVDESS_SONG,),
    "tess": (
        Archive(
            url="https://borealisdata.ca/api/access/dataset/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF",
            folder="TESS",
        ),
    ),
    "emodb": (
        Archive(
            url="https://zenodo.org/records/7447302/files/emodb.zip",
            folder="EmoDB-1.3.0",
            size_bytes=39_981_818,
            checksum="md5:9d21362dbc5676ef3ab4745d83ced0db",
        ),
    ),
}
"""The archives of each corpus that can be downloaded."""

STEPS: dict[str, tuple[str, ...]] = {
    "cremad": (
        "install Git LFS (https://git-lfs.com), then: git lfs install",
        "git clone --depth 1 https://github.com/CheyneyComputerScience/CREMA-D (audio and video, several GB)",
        "without the video: GIT_LFS_SKIP_SMUDGE=1 git clone …, then in it: git lfs pull --include 'AudioWAV/*'",
        "emogram corpus check cremad CREMA-D/AudioWAV (VideoDemographics.csv beside it gives sexes and ages)",
    ),
    "savee": (
        "register at http://kahlan.eps.surrey.ac.uk/savee/ and wait for the address and password",
        "download AudioData.zip and unpack it",
        "emogram corpus check savee AudioData",
    ),
    "kaggle": (
        "sign in at https://www.kaggle.com/datasets/dmitrybabko/speech-emotion-recognition-en",
        "download the archive and unpack it: it holds Ravdess, Crema, Tess and Savee",
        "emogram corpus check kaggle FOLDER",
    ),
    "folder": ("nothing to download: give emogram your own folder, emogram corpus scan folder FOLDER -o manifest.csv",),
    "csv": ("nothing to download: give emogram your own table, emogram corpus scan csv TABLE.csv -o manifest.csv",),
}
"""What to do for each corpus that cannot be downloaded."""

"""The models that come with emogram, by name: files in the folder ``models`` here, and those of packages of their own."""

import importlib.util
import os
import re
from pathlib import Path

from emogram.errors import ConfigurationError

FOLDER = Path(__file__).parent / "models"
COMPANIONS = ("emogram_large",)
"""Packages that hold nothing but models, each called as its file; they weigh more than emogram and are installed beside it."""

DEFAULT = "base"
"""The model that is used where none is named."""

MODEL_VARIABLE = "EMOGRAM_MODEL"
"""Environment variable with the path or name of the model to use where none is named."""

_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)


def bundled() -> dict[str, Path]:
    """The models that come with emogram or are installed beside it, by name, the default first."""
    specs = (importlib.util.find_spec(name) for name in COMPANIONS)
    folders = [FOLDER, *(Path(spec.origin).parent for spec in specs if spec is not None and spec.origin)]
    paths = (path for folder in folders for path in folder.glob("*.onnx"))
    found = sorted(paths, key=lambda path: (path.stem != DEFAULT, path.stem))
    return {path.stem: path for path in found}


def find_model(model: str | os.PathLike[str] | bytes | None) -> str | os.PathLike[str] | bytes:
    """Where a model lies that is given by path, bytes or name, or not at all.

    A bare word that is no file here is a name. Where None is given, the environment variable `MODEL_VARIABLE` counts as
    given, else `DEFAULT`.

    Raises:
        ConfigurationError: none comes with emogram by that name; lists those that do.
    """
    found = bundled()
    if model is None:
        model = os.environ.get(MODEL_VARIABLE)
        if not model:
            model = DEFAULT
            if model in found:
                return found[model]
    if not isinstance(model, str) or not _NAME.fullmatch(model) or Path(model).is_file():
        return model
    if model in found:
        return found[model]
    if Path(model).exists():
        return model
    if found:
        companion = " (pip install ./models/large brings it)" if f"emogram_{model}" in COMPANIONS else ""
        raise ConfigurationError(
            f"model {model!r}: none comes by that name{companion}; choose {', '.join(found)}, or name a file"
        )
    remedy = f"name a file (--model FILE or {MODEL_VARIABLE}=FILE); `emogram demo` and `emogram train` export one"
    raise ConfigurationError(f"model {model!r}: none comes with this copy of emogram; {remedy}")

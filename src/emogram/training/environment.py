"""The environment of a run: what might explain a difference between two machines."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import torch

import emogram
from emogram.training import processor
from emogram.training.configuration import RuntimeSettings
from emogram.training.fit import device_of, uses_bf16

_PACKAGES = ("torch", "lightning", "numpy", "soundfile", "soxr", "onnx", "onnxruntime")


def describe(runtime: RuntimeSettings) -> dict[str, object]:
    """Versions, processor, threads and precision, JSON-ready."""
    return {
        "emogram": emogram.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": processor.name(),
        "processors": os.cpu_count(),
        "accelerator": _accelerator(runtime),
        "threads": torch.get_num_threads(),
        "precision": "bf16" if uses_bf16(runtime) else "fp32",
        **{package: _version(package) for package in _PACKAGES},
    }


def _accelerator(runtime: RuntimeSettings) -> str:
    """What a graphics processor that computes calls itself; empty where none does."""
    device = device_of(runtime)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "" if device.type == "cpu" else device.type


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

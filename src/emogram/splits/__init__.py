"""Training, validation and test parts without a leak: drawn by clip or by speaker, or as published."""

from emogram.splits.audit import Leak, audit, require_no_leak
from emogram.splits.catalogue import NAMES, make, n_folds
from emogram.splits.published import PROTOCOLS, Protocol, protocol
from emogram.splits.split import PARTS, Split

__all__ = [
    "NAMES",
    "PARTS",
    "PROTOCOLS",
    "Leak",
    "Protocol",
    "Split",
    "audit",
    "make",
    "n_folds",
    "protocol",
    "require_no_leak",
]

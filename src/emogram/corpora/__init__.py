"""Corpora of emotional speech: what they hold, how their files are named, where to get them, and one's own recordings."""

from emogram.corpora.clip import FIELDS, Clip, read_manifest, write_manifest, write_rows
from emogram.corpora.corpus import Corpus
from emogram.corpora.inspection import Report, check, scan, scan_all
from emogram.corpora.registry import CORPORA, get
from emogram.corpora.retrieval import download

__all__ = [
    "CORPORA",
    "FIELDS",
    "Clip",
    "Corpus",
    "Report",
    "check",
    "download",
    "get",
    "read_manifest",
    "scan",
    "scan_all",
    "write_manifest",
    "write_rows",
]

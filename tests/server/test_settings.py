"""Settings: each checked, each an option and a variable, each in the guide."""

import re
from pathlib import Path
from typing import Any

import pytest

from emogram.errors import ConfigurationError
from emogram.server.settings import TOKEN_VARIABLE, Settings, options

GUIDE_FILE = Path(__file__).parents[2] / "docs" / "server.md"
GUIDE = GUIDE_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"port": 70_000}, "--port: 70000 is not between 0 and 65535"),
        ({"max_request_mb": 0}, "--max-request-mb: 0 is not between"),
        ({"deadline_s": float("nan")}, "--deadline-s: nan is not between"),
        ({"tls_key": Path("x")}, "--tls-certificate, --tls-key: one is of no use"),
        ({"max_request_mb": 25, "max_memory_mb": 20}, "--max-memory-mb: less than one request"),
        ({"max_files": 65}, "--queue: less than the recordings"),
        ({"cors_origin": ("example.org",)}, "--cors-origin: 'example.org' is no origin"),
        ({"cors_origin": ("https://example.org/",)}, "--cors-origin: 'https://example.org/' is no origin"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        Settings(**given)


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-the-file\n")
    environment = {TOKEN_VARIABLE: "from-the-environment"}
    assert Settings().token({}) == ""
    assert Settings().token(environment) == "from-the-environment"
    assert Settings(token_file=file).token(environment) == "from-the-file"
    for content in ("", "short", "with space in it", "umläutiges"):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"token"):
            Settings(token_file=file).token({})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Settings(token_file=tmp_path / "none").token({})


def test_local_addresses_have_local_names() -> None:
    assert Settings().hosts == ("127.0.0.1", "::1", "localhost")
    assert Settings(host="0.0.0.0").hosts == ()
    assert Settings(allowed_host=("a.example",)).hosts == ("a.example",)


@pytest.mark.parametrize("option", list(options()), ids=lambda option: str(option.name))
def test_every_setting_is_in_the_guide(option: Any) -> None:
    default = "" if option.default in (None, ()) else f"`{str(option.default).lower()}`"
    row = f"| `{option.option}` | {default} | {option.meaning} |"
    assert row in GUIDE


def test_the_container_sets_what_there_is() -> None:
    text = (GUIDE_FILE.parents[1] / "Containerfile").read_text(encoding="utf-8")
    named = set(re.findall(r"EMOGRAM_SERVE_\w+", text))
    assert named
    assert named <= {option.variable for option in options()}

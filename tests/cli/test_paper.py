"""`emogram paper`: what was written goes to standard output, what was left out to standard error."""

from pathlib import Path

import pytest

from emogram.cli import main
from tests.paper import made_up


def test_a_store_gives_paper_and_talk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "results"
    made_up.write_result(store / "unseen", "loso", 2.0)
    (store / "old").mkdir()
    (store / "old" / "metrics.json").write_text("{}")
    assert main(["paper", "--results", str(store)]) == 0
    told = capsys.readouterr()
    names = ["emogram.html", "emogram.pdf", "talk.pdf"]
    assert told.out.splitlines() == [str(tmp_path / "paper" / name) for name in names]
    assert told.err == "left out: old: has no predictions-test.csv\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--results", "nowhere"], "--results nowhere: there is no such folder; name a store of results, or a study"),
        (
            ["--results", ".", "--studies", "nowhere"],
            "--studies nowhere: there is no such folder; name the one with the",
        ),
        (
            ["--results", "."],
            ".: holds no headline, which paper.md.jinja asks for; make it and put it there: emogram train",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["paper", *words]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"emogram: error: {message}")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

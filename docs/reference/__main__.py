"""Write the reference again. Run: make reference."""

from pathlib import Path

from docs.reference.pages import pages


def main() -> None:
    """Write every page beside this file."""
    folder = Path(__file__).parent
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

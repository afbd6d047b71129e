"""placeholder"""


def register(application: object) -> None:
    """No."""

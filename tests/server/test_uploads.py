"""What the parts of a body may ask of the parser."""

from functools import partial

import pytest
from python_multipart.multipart import MultipartParser

from emogram.server import uploads
from emogram.server.problems import Problem


def body(header: bytes) -> bytearray:
    disposition = b'Content-Disposition: form-data; name="file"; filename="a.wav"'
    return bytearray(b"--B\r\n" + disposition + header + b"\r\n\r\nsound\r\n--B--\r\n")


def read(header: bytes) -> list[uploads.Upload]:
    return uploads.read(body(header), "multipart/form-data; boundary=B", None, 3)


@pytest.mark.parametrize("header", [b"; a=b" * 2000, b"\r\nX: " + b"y" * 5000, b"\r\n" + b"X" * 5000 + b": y"])
def test_headers_of_parts_are_bounded_whatever_the_parser_allows(
    header: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older releases allow any length."""
    boundless = partial(MultipartParser, max_header_size=10**9, max_header_count=10**9)
    monkeypatch.setattr(uploads, "MultipartParser", boundless)
    with pytest.raises(Problem) as caught:
        read(header)
    assert (caught.value.status, caught.value.code) == (422, "malformed")
    assert "has a part with a header of more than 4096 bytes" in str(caught.value)


def test_usual_headers_pass() -> None:
    assert read(b"\r\nContent-Type: audio/wav\r\nX-Own: " + b"y" * 1000) == [
        uploads.Upload("a.wav", bytearray(b"sound"))
    ]

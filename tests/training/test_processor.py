"""The precision that suits a processor."""

import pytest
import torch

from emogram.training import processor


@pytest.mark.parametrize(
    ("instructions", "matrix_units", "called", "gains"),
    [
        (False, False, "AMD EPYC 7763", False),
        (True, False, "AMD EPYC 9554", True),
        (True, False, "Intel(R) Xeon(R) Processor", False),
        (True, True, "Intel(R) Xeon(R) Platinum 8488C", True),
    ],
)
def test_bfloat16_where_it_was_measured_to_gain(
    instructions: bool, matrix_units: bool, called: str, gains: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: instructions)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: matrix_units)
    monkeypatch.setattr(processor, "name", lambda: called)
    assert processor.gains_from_bf16() is gains


def test_a_processor_has_a_name() -> None:
    assert processor.name() == processor.name().strip()

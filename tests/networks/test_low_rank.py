"""Low-rank adaptation: nothing at first, thin when it learns, gone when it is merged."""

import copy

import torch
from torch import nn

from emogram.networks.low_rank import adapt, merge, merged


def adapted() -> tuple[nn.Sequential, nn.Sequential]:
    """A network, and the same adapted in its first layer."""
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 3))
    changed = copy.deepcopy(plain)
    adapt([changed[0]], 2)  # type: ignore[list-item]
    return plain, changed


def test_nothing_changes_at_first_and_only_the_addition_learns() -> None:
    plain, changed = adapted()
    x = torch.randn(4, 6)
    assert torch.equal(plain(x), changed(x))
    changed(x).square().sum().backward()
    learning = {name: p.numel() for name, p in changed.named_parameters() if p.requires_grad}
    first = "0.parametrizations.weight.0."
    assert learning == {f"{first}down": 12, f"{first}up": 10, "2.weight": 15, "2.bias": 3}
    assert all(p.grad is not None for p in changed.parameters() if p.requires_grad)


def test_what_was_learned_is_merged_into_the_matrix() -> None:
    plain, changed = adapted()
    with torch.no_grad():
        changed[0].parametrizations.weight[0].up.normal_()  # type: ignore[union-attr, index]
    x = torch.randn(4, 6)
    expected = changed(x)
    assert not torch.allclose(expected, plain(x))
    tensors = merged(changed.state_dict())
    copied = copy.deepcopy(changed)
    merge(copied)
    assert set(copied.state_dict()) == set(tensors) == set(plain.state_dict())
    torch.testing.assert_close(copied(x), expected)
    plain.load_state_dict(tensors)
    torch.testing.assert_close(plain(x), expected)

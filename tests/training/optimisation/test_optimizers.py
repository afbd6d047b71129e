"""Optimisers: which weights decay, groups with rates of their own, AdamW as torch has it, Lion and Muon as published."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emogram.errors import TrainingError
from emogram.training.optimisation.lion import Lion
from emogram.training.optimisation.muon import Muon, is_matrix, orthogonalised
from emogram.training.optimisation.optimizers import (
    OPTIMIZERS,
    AdamWSettings,
    MuonSettings,
    ParameterGroup,
    optimizer,
)


def gradients(shape: tuple[int, ...], steps: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator) for _ in range(steps)]


def after(chosen: torch.optim.Optimizer, weight: Tensor, given: list[Tensor]) -> Tensor:
    for gradient in given:
        weight.grad = gradient.clone()
        chosen.step()
    return weight.detach()


def start(shape: tuple[int, ...]) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(0)))


def test_biases_and_normalisations_do_not_decay() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    module[3].bias.requires_grad_(False)
    groups = optimizer(AdamWSettings(weight_decay=0.3), module).param_groups
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [(0.3, 2), (0.0, 3)]
    assert all(p.ndim > 1 for p in groups[0]["params"])


def test_nothing_to_train_is_one_line() -> None:
    with pytest.raises(TrainingError, match="the network has no weight that is to be trained; unfreeze some"):
        optimizer(AdamWSettings(), nn.Linear(2, 2).requires_grad_(False))
    with pytest.raises(TrainingError, match="no weight that is to be trained"):
        optimizer(AdamWSettings(), [ParameterGroup(())])


def test_adamw_is_that_of_torch_to_the_last_bit() -> None:
    settings = AdamWSettings()
    assert (settings.learning_rate, settings.weight_decay) == (2e-3, 0.05)
    ours, theirs = start((4, 3)), start((4, 3))
    reference = torch.optim.AdamW([theirs], lr=2e-3, weight_decay=0.05, fused=True)
    given = gradients((4, 3), 10)
    chosen = optimizer(settings, [ParameterGroup([ours])])
    assert torch.equal(after(chosen, ours, given), after(reference, theirs, given))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_group_learns_at_its_own_rate(name: str) -> None:
    """The first step of equal weights by equal gradients is as long as the group's rate says."""
    settings = OPTIMIZERS[name](learning_rate=1e-3, weight_decay=0.0)  # type: ignore[call-arg]
    whole, tenth = start((4, 3)).double(), start((4, 3)).double()
    whole, tenth = nn.Parameter(whole), nn.Parameter(tenth)
    chosen = optimizer(settings, [ParameterGroup([whole]), ParameterGroup([tenth], lr_scale=0.1)])
    [gradient] = gradients((4, 3), 1)
    before = whole.detach().clone()
    for weight in (whole, tenth):
        weight.grad = gradient.double()
    chosen.step()
    moved = before - whole.detach()
    assert moved.abs().max() > 0
    torch.testing.assert_close(before - tenth.detach(), 0.1 * moved, rtol=1e-6, atol=1e-12)


def test_lion_is_the_published_formula() -> None:
    """Chen et al. 2023, algorithm 2, in float64."""
    rate, decay, (b1, b2) = 0.01, 0.3, (0.9, 0.99)
    weight = start((5, 4))
    expected = weight.detach().numpy().astype(np.float64)
    momentum = np.zeros_like(expected)
    given = gradients((5, 4), 12)
    for gradient in given:
        g = gradient.numpy().astype(np.float64)
        step = np.sign(b1 * momentum + (1 - b1) * g)
        expected -= rate * (step + decay * expected)
        momentum = b2 * momentum + (1 - b2) * g
    chosen = Lion([{"params": [weight]}], lr=rate, betas=(b1, b2), weight_decay=decay)
    np.testing.assert_allclose(after(chosen, weight, given).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(6, 4), (4, 9)])
def test_muon_is_that_of_torch_on_a_matrix(shape: tuple[int, int]) -> None:
    ours, theirs = start(shape), start(shape)
    given = gradients(shape, 6)
    reference = torch.optim.Muon([theirs], lr=2e-3, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    found = after(optimizer(MuonSettings(), [ParameterGroup([ours])]), ours, given)
    torch.testing.assert_close(found, after(reference, theirs, given), atol=2e-4, rtol=0)
    assert (found - start(shape)).abs().max() > 2e-3


def test_a_kernel_moves_as_the_matrix_of_its_patches() -> None:
    kernel, matrix = start((6, 4, 3, 3)), nn.Parameter(start((6, 4, 3, 3)).detach().flatten(1))
    kernel.data = kernel.data.contiguous(memory_format=torch.channels_last)
    given = gradients((6, 4, 3, 3), 4)
    found = after(optimizer(MuonSettings(), [ParameterGroup([kernel])]), kernel, given)
    expected = after(optimizer(MuonSettings(), [ParameterGroup([matrix])]), matrix, [g.flatten(1) for g in given])
    torch.testing.assert_close(found.flatten(1), expected, atol=2e-4, rtol=0)


def test_what_is_no_matrix_moves_as_by_adamw() -> None:
    settings = MuonSettings(learning_rate=0.01)
    for shape, decay in (((7,), 0.0), ((8, 1, 3, 3), settings.weight_decay)):
        ours, theirs = start(shape), start(shape)
        given = gradients(shape, 8)
        reference = torch.optim.AdamW([theirs], lr=0.01, betas=settings.betas, weight_decay=decay)
        found = after(optimizer(settings, [ParameterGroup([ours])]), ours, given)
        torch.testing.assert_close(found, after(reference, theirs, given), atol=1e-6, rtol=1e-5)


def test_matrices_are_told_from_the_rest() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 6, 3))
    assert [is_matrix(weight) for weight in network.parameters()] == [False] * 6 + [True, False]
    parted = optimizer(MuonSettings(), network)
    assert isinstance(parted, Muon)
    assert [(group["matrices"], len(group["params"])) for group in parted.param_groups] == [
        (True, 1),
        (False, 2),
        (False, 5),
    ]


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_orthogonalised_singular_values_are_near_1(shape: tuple[int, int]) -> None:
    [matrix] = gradients(shape, 1)
    values = torch.linalg.svdvals(orthogonalised(matrix).float())
    assert 0.5 < float(values.min()) <= float(values.max()) < 1.3
    assert not orthogonalised(torch.zeros(shape)).any()


@pytest.mark.parametrize("kind", [Lion, Muon])
def test_a_closure_is_called_with_gradients(kind: type[Lion] | type[Muon]) -> None:
    weight, still = start((2, 2)), start((2,))
    chosen = kind([{"params": [weight, still]}])

    def closure() -> float:
        loss = (weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    before = float((weight.detach() ** 2).sum())
    assert chosen.step(closure) == pytest.approx(before)
    assert float((weight.detach() ** 2).sum()) < before
    assert torch.equal(still, start((2,)))

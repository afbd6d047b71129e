"""Contracts of every optimiser under every schedule: it learns, it can be stopped and continued, it can be written down."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from emogram.training.checkpoints import load, save
from emogram.training.configuration import load as load_configuration
from emogram.training.optimisation.optimizers import OPTIMIZERS, optimizer
from emogram.training.optimisation.schedules import SCHEDULES, RateSchedule, schedule

STEPS = 40
CLIPS = 32
RATES = dict.fromkeys(("rmsprop", "adam", "nadam", "adamw"), 0.01) | {"radam": 0.06, "lion": 2e-3, "muon": 0.02}
"""Where the default, meant for hundreds of steps, is too careful for the toy."""


class Toy:
    """A small convolutional network that learns to tell the sign of a sum of weighted pixels."""

    def __init__(self, name: str, of_schedule: str) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 8, 3, stride=2, bias=False),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * 9, 2),
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.x = torch.randn(CLIPS, 1, 8, 8)
        self.target = ((self.x * torch.randn(8, 8)).sum(dim=(1, 2, 3)) > 0).long()
        rate = {"learning_rate": RATES[name]} if name in RATES else {}
        self.optimizer = optimizer(OPTIMIZERS[name].model_validate(rate), self.network)
        self.schedule: RateSchedule = schedule(
            SCHEDULES[of_schedule].model_validate({"warm_up": 0.1}), self.optimizer, steps=STEPS
        )

    def learn(self, first: int, end: int) -> list[float]:
        """The loss before each of these steps."""
        losses = []
        for step in range(first, end):
            if step % 10 == 0:
                self.schedule.apply()
            loss: Tensor = functional.cross_entropy(self.network(self.x), self.target)
            losses.append(float(loss.detach()))
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            if step % 10 == 9:
                self.schedule.observe(losses[-1] if step < 15 else 1e9, larger_is_better=False)
        return losses

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


@pytest.mark.parametrize("of_schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_learns_and_continues_as_if_undisturbed(name: str, of_schedule: str, tmp_path: Path) -> None:
    undisturbed = Toy(name, of_schedule)
    losses = undisturbed.learn(0, STEPS // 2)
    save(undisturbed.state(), tmp_path / "cut.safetensors")
    losses += undisturbed.learn(STEPS // 2, STEPS)
    assert min(losses[-5:]) < 0.9 * losses[0]
    continued = Toy(name, of_schedule)
    continued.restore(load(tmp_path / "cut.safetensors"))
    assert continued.learn(STEPS // 2, STEPS) == losses[STEPS // 2 :]
    for ours, theirs in zip(continued.network.parameters(), undisturbed.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("field", ["optimizer", "schedule"])
def test_every_name_can_be_written_and_read(field: str, tmp_path: Path) -> None:
    for name in list(OPTIMIZERS if field == "optimizer" else SCHEDULES):
        configuration = load_configuration(None, [f"fit.{field}={name}"])
        path = tmp_path / f"{name}.yaml"
        path.write_text(configuration.to_yaml())
        assert load_configuration(path) == configuration
        assert getattr(configuration.fit, field).name == name


@pytest.mark.parametrize("settings", [*OPTIMIZERS.values(), *SCHEDULES.values()], ids=lambda kind: kind.__name__)
def test_every_field_has_a_meaning_and_every_class_a_source(settings: type[Any]) -> None:
    assert (settings.__doc__ or "").splitlines()[0].endswith(".")
    assert all(info.description for name, info in settings.model_fields.items() if name != "name")

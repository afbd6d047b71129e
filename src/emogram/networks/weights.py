"""Loading tensors into a network, strictly: what is missing, left over or of another shape is an error that names it."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from emogram.errors import ModelError
from emogram.networks.network import Network

_SHOWN = 3
_COUNTERS = ".num_batches_tracked"
"""Buffers that nothing here reads; older files have none."""


def strict_load(network: Network, tensors: Mapping[str, Tensor], *, ignore: Sequence[str] = ()) -> list[str]:
    """Copy tensors into the network's parameters and buffers of the same name, in place.

    The publisher's names are turned into ours first (`Network.published_names`).

    Args:
        network: to fill.
        tensors: by name, the publisher's or ours.
        ignore: prefixes of names, ``head`` for example, that are neither loaded nor missed.

    Returns:
        The names that were filled.

    Raises:
        ModelError: something is missing, left over, of another shape or no number; nothing was loaded.
    """
    renamed = {_our_name(name, network.published_names): tensor for name, tensor in tensors.items()}
    wanted = network.state_dict()
    given = {name: tensor for name, tensor in renamed.items() if not _begins(name, ignore)}
    expected = [name for name in wanted if not _begins(name, ignore)]
    problems = [
        _some("missing", [n for n in expected if n not in given and not n.endswith(_COUNTERS)]),
        _some("left over", [n for n in given if n not in wanted]),
        _some(
            "of another shape",
            [
                f"{n} {tuple(given[n].shape)} for {tuple(wanted[n].shape)}"
                for n in expected
                if n in given and given[n].shape != wanted[n].shape
            ],
        ),
        _some("not finite", [n for n in given if n in wanted and not torch.isfinite(given[n]).all()]),
    ]
    found = "; ".join(problem for problem in problems if problem)
    if found:
        raise ModelError(f"weights do not fit the network: {found}; name in ignore what is to be left as it is")
    filled = [name for name in expected if name in given]
    network.load_state_dict({**wanted, **{name: given[name] for name in filled}})
    return filled


def _our_name(name: str, published: Mapping[str, str]) -> str:
    for theirs, ours in published.items():
        if name == theirs or name.startswith(f"{theirs}."):
            return ours + name[len(theirs) :]
    return name


def _begins(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _some(problem: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{problem}: {', '.join(names[:_SHOWN])}{more}"

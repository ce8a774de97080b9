"""What a PyTorch loop does, logged by itself as far as a loop shows it: the losses that are derived, the steps of its
optimizers and their learning rates.

PyTorch has no fit, so nobody knows where a training begins, which module is the model or what an epoch is: only the
open run is told, steps are counted by optimizer, and models and validation are the script's to log.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from taxiway.runs.active import ActiveRun, newest_open
from taxiway.runs.autologging.autolog import Autolog, Fit
from taxiway.runs.autologging.patching import Patch


class Torch:
    """Listens to every optimizer's steps, and to `backward` of what is one number."""

    module = "torch"

    def patch(self, autolog: Autolog) -> list[Patch]:
        import torch
        from torch.optim import optimizer

        loops = Loops(autolog)
        handle = optimizer.register_optimizer_step_post_hook(loops.stepped)
        backward = Patch(torch.Tensor, "backward", lambda before: listening(before, loops))
        return [backward, Handle(handle)]


class Handle(Patch):
    """A hook of PyTorch's own, taken away like a patch."""

    def __init__(self, handle: Any) -> None:  # nothing is replaced
        self.handle = handle

    def undo(self) -> None:
        self.handle.remove()


library = Torch()


class Loop:
    """One optimizer in one run: how many steps it took."""

    def __init__(self, fit: Fit, number: int) -> None:
        self.fit = fit
        self.prefix = "" if number == 1 else f"optimizer_{number}/"
        self.steps = 0


class Loops:
    """The loops of this process, and the losses that were derived since an optimizer last stepped."""

    def __init__(self, autolog: Autolog) -> None:
        self.autolog = autolog
        self.losses: list[Any] = []
        self.known: weakref.WeakKeyDictionary[ActiveRun, weakref.WeakKeyDictionary[Any, Loop]]
        self.known = weakref.WeakKeyDictionary()
        self.counts: weakref.WeakKeyDictionary[ActiveRun, int] = weakref.WeakKeyDictionary()

    def derived(self, loss: Any) -> None:
        """A backward pass begins at this number; it is read later, so that no device is waited for here."""
        if loss.numel() == 1 and newest_open() is not None:
            self.losses.append(loss.detach())
            del self.losses[:-100]

    def stepped(self, optimizer: Any, _arguments: Any, _named: Any) -> None:
        """An optimizer took a step."""
        losses, self.losses = self.losses, []
        run = newest_open()
        if run is None or not self.autolog.is_on:
            return
        loops = self.known.setdefault(run, weakref.WeakKeyDictionary())
        loop = loops.get(optimizer)
        if loop is None:
            self.counts[run] = self.counts.get(run, 0) + 1
            loop = loops[optimizer] = Loop(Fit(run, "torch", self.autolog.options), self.counts[run])
            loop.fit.quietly(tell_optimizer, loop, optimizer)
        if loop.steps % self.autolog.options.every == 0:
            loop.fit.quietly(tell_step, loop, optimizer, losses)
        loop.steps += 1


def tell_optimizer(loop: Loop, optimizer: Any) -> None:
    """What an optimizer was made with, and how much it trains."""
    weights = sum(weight.numel() for group in optimizer.param_groups for weight in group["params"])
    facts = {"optimizer": type(optimizer).__name__, **optimizer.defaults, "trained_weights": weights}
    loop.fit.params({loop.prefix + name: value for name, value in facts.items() if value is not None})


def tell_step(loop: Loop, optimizer: Any, losses: list[Any]) -> None:
    """The loss that led to this step (of several passes their mean) and the learning rates."""
    found: dict[str, float] = {}
    if losses:
        found["loss"] = sum(float(loss) for loss in losses) / len(losses)
    rates = [float(group["lr"]) for group in optimizer.param_groups if "lr" in group]
    for number, rate in enumerate(rates):
        found["learning_rate" if number == 0 else f"learning_rate_{number + 1}"] = rate
    loop.fit.metrics({loop.prefix + name: value for name, value in found.items()}, loop.steps)


def listening(before: Callable[..., Any], loops: Loops) -> Callable[..., Any]:
    """`Tensor.backward` that is heard; what fails in the hearing does not stop it."""

    def backward(tensor: Any, *arguments: Any, **named: Any) -> Any:
        try:
            loops.derived(tensor)
        except Exception:  # noqa: BLE001 - a plug-in call: a tensor of a kind that cannot be read is not logged
            loops.losses.clear()
        return before(tensor, *arguments, **named)

    return backward

"""What a Lightning trainer trains, logged by itself: what its modules log, once a step and once an epoch.

Lightning goes by two names, and each has classes of its own: whichever the script imported is listened to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from taxiway.runs.autologging.autolog import Autolog, Fit, current
from taxiway.runs.autologging.patching import Patch

TOLD = ("max_epochs", "max_steps", "accumulate_grad_batches", "gradient_clip_val", "precision", "num_devices")
STEP, EPOCH = "_step", "_epoch"  # how Lightning ends the names of what is logged at both


class Lightning:
    """Adds a callback of ours to a trainer for as long as it fits. module: the name that Lightning goes by."""

    def __init__(self, module: str) -> None:
        self.module = module

    def patch(self, autolog: Autolog) -> list[Patch]:
        trainer = import_module(self.module).Trainer
        return [Patch(trainer, "fit", lambda before: logged(before, self.module))]


library = Lightning("lightning.pytorch")
of_old_name = Lightning("pytorch_lightning")


def logged(before: Callable[..., Any], module: str) -> Callable[..., Any]:
    def fit(trainer: Any, *arguments: Any, **named: Any) -> Any:
        autolog = current()
        if autolog is None or not getattr(trainer, "is_global_zero", True):  # one of many processes tells
            return before(trainer, *arguments, **named)
        with autolog.fit(arguments[0] if arguments else named.get("model")) as known:
            if known is None:
                return before(trainer, *arguments, **named)
            telling = teller(module, known)
            trainer.callbacks.append(telling)
            try:
                return before(trainer, *arguments, **named)
            finally:
                trainer.callbacks.remove(telling)

    return fit


def teller(module: str, fit: Fit) -> Any:
    """A callback that logs what a trainer does."""
    callback: Any = import_module(module).Callback

    class Telling(callback):  # type: ignore[misc] # a class of whichever Lightning there is
        of_steps: frozenset[str] = frozenset()  # what is logged in training; the trainer keeps all of it together
        of_validation: frozenset[str] = frozenset()

        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
            fit.quietly(tell_start, fit, trainer, pl_module)

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            self.of_steps |= trainer.logged_metrics.keys() - self.of_validation
            if trainer.global_step and trainer.global_step % trainer.log_every_n_steps == 0:
                fit.quietly(tell_step, fit, trainer, self.of_steps)

        def on_validation_end(self, trainer: Any, *_: Any) -> None:
            self.of_validation |= trainer.logged_metrics.keys() - self.of_steps

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            fit.quietly(tell_epoch, fit, trainer)

        def on_fit_end(self, trainer: Any, *_: Any) -> None:
            fit.quietly(tell_end, fit, trainer)

    return Telling()


def tell_start(fit: Fit, trainer: Any, module: Any) -> None:
    """How the trainer and its module were made."""
    weights = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    facts = {name: getattr(trainer, name, None) for name in TOLD}
    facts |= {"module": type(module).__name__, "trained_weights": weights, **dict(module.hparams)}
    for optimizer in trainer.optimizers[:1]:
        facts |= {"optimizer": type(optimizer).__name__, "learning_rate": optimizer.defaults.get("lr")}
    fit.params({name: value for name, value in facts.items() if value is not None})


def tell_step(fit: Fit, trainer: Any, names: Collection[str]) -> None:
    """What the module logged at this step."""
    found = numbers({name: value for name, value in trainer.logged_metrics.items() if name in names})
    fit.metrics({name: value for name, value in found.items() if not name.endswith(EPOCH)}, trainer.global_step)


def tell_epoch(fit: Fit, trainer: Any) -> None:
    """What the module logged over the epoch, validation with it."""
    logged_at_steps = {name.removesuffix(STEP) for name in trainer.callback_metrics if name.endswith(STEP)}
    found = numbers(trainer.callback_metrics)
    over = {name: value for name, value in found.items() if not name.endswith(STEP) and name not in logged_at_steps}
    fit.metrics(over | {"epoch": float(trainer.current_epoch)}, trainer.global_step)


def tell_end(fit: Fit, trainer: Any) -> None:
    """The best checkpoint, where one was kept."""
    kept = trainer.checkpoint_callback
    best = Path(getattr(kept, "best_model_path", "") or "")
    if kept is None or not best.is_file():
        return
    if kept.best_model_score is not None:
        fit.metrics({"best_model_score": float(kept.best_model_score)}, trainer.global_step)
    if fit.options.models:
        fit.run.log_artifact(best, f"{fit.prefix}checkpoints/best.ckpt")


def numbers(given: Mapping[str, Any]) -> dict[str, float]:
    """Metrics of one number each, without the epoch that Lightning adds."""
    return {name: float(value) for name, value in given.items() if name != "epoch" and numel(value) == 1}


def numel(value: Any) -> int:
    return int(value.numel()) if hasattr(value, "numel") else 1

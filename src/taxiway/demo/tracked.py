"""The tracked runs of act 1: what one logs of a model that decides about people, and the version it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from taxiway.client import Client
from taxiway.datasets.contract import DatasetVersion
from taxiway.demo import mortgages
from taxiway.demo.facts import MORTGAGE_CARD, MORTGAGES
from taxiway.gates.laws import fairness
from taxiway.models.contract import ModelVersion
from taxiway.runs.active import ActiveRun
from taxiway.web.figures.bars import Bar, GroupedBars
from taxiway.web.figures.lines import Threshold
from taxiway.web.figures.roc import Roc, RocCurves
from taxiway.web.figures.svg import Figure, standalone

MODEL = "mortgage"
EXPERIMENT = "approve-or-not"
FOUR_FIFTHS = 0.8
HERE = Path(__file__).parent  # the code that trains, wherever the demo is started
FIGURE_WIDTH = 420  # px; a run's page shows two beside each other


class Recipe(Struct, frozen=True):
    """One way to train. params: beyond those that all ways share. read: what the model sees of the table."""

    name: str
    train: mortgages.Train
    params: dict[str, str | float]
    read: mortgages.Read = mortgages.features


LOGISTIC = Recipe("logistic", mortgages.train_baseline, {"model": "logistic regression", "mitigation": "none"})
MITIGATED = Recipe(
    "logistic, mitigated",
    mortgages.train_mitigated,
    {
        "model": "logistic regressions, voting by weight",
        "mitigation": "exponentiated gradient, demographic parity",
        "largest_gap": mortgages.LARGEST_GAP,
    },
)


SHORTCUT = Recipe(
    "logistic, a cut for each race",
    mortgages.train_shortcut,
    {"model": "logistic regression", "mitigation": "threshold optimizer, demographic parity"},
    mortgages.features_and_race,
)


class Trained(Struct, frozen=True):
    """A version and what its run measured on applications that the models of the folds had not seen."""

    version: ModelVersion
    run: str
    judged: mortgages.Judgement
    by_fold: list[mortgages.Judgement]

    @property
    def name(self) -> str:
        return f"{self.version.model}@{self.version.version}"


def train(client: Client, dataset: DatasetVersion, recipe: Recipe) -> Trained:
    """One run: five held-out folds, then the model on all rows, registered as the next version with its card."""
    with client.runs.start(recipe.name, project=MORTGAGES.name, experiment=EXPERIMENT, source=HERE) as run:
        table = client.datasets.read(dataset.name, dataset.version, project=dataset.project)
        run.use(dataset)
        run.params(
            **recipe.params,
            features=recipe.read(table).shape[1],
            folds=mortgages.FOLDS,
            seed=mortgages.SEED,
            threshold=mortgages.THRESHOLD,
        )
        held = mortgages.held_out(table, recipe.train, recipe.read)
        by_fold = [mortgages.judge(fold) for _, fold in held.groupby("fold")]
        judged = mortgages.judge(held)
        log_metrics(run, judged, by_fold)
        run.log_artifact(Path(mortgages.__file__), "training/mortgages.py")
        for name, figure in (("roc", roc(held, recipe, judged)), ("approved-by-race", approved_by_race(held, recipe))):
            run.log_figure(standalone(figure.draw(FIGURE_WIDTH)), f"figures/{name}")
        read = recipe.read(table).reset_index(drop=True)
        pinned = run.log_predictions(
            held.join(read[[column for column in read.columns if column not in held.columns]]),
            label="label",
            prediction="prediction",
            score="score",
            groups=["race"],
            threshold=mortgages.THRESHOLD,
            dataset=dataset,
            features=list(read.columns),
            split=f"out of fold, {mortgages.FOLDS} folds alike in race and outcome, seed {mortgages.SEED}",
        )
        model = mortgages.fit(table, recipe.train, recipe.read)
        version = run.log_model(model, MODEL, example=recipe.read(table), predictions=pinned, note=recipe.name)
    client.models.enter_card(f"{version.model}@{version.version}", **MORTGAGE_CARD)
    return Trained(version, run.id, judged, by_fold)


def log_metrics(run: ActiveRun, judged: mortgages.Judgement, by_fold: list[mortgages.Judgement]) -> None:
    """Each fold as a step of its own series, and all folds together once."""
    for number, fold in enumerate(by_fold):
        run.log(number, **{f"fold_{name}": value for name, value in metrics_of(fold).items()})
    run.log(None, **metrics_of(judged), **{f"approved_{group}": share for group, share in judged.approved.items()})


def metrics_of(judged: mortgages.Judgement) -> dict[str, float]:
    return {
        "accuracy": judged.accuracy,
        "auc": judged.auc,
        "log_loss": judged.log_loss,
        "selection_rate_ratio": judged.ratio,
    }


def roc(held: Any, recipe: Recipe, judged: mortgages.Judgement) -> Figure:
    """The ROC curve of the held-out scores."""
    from sklearn.metrics import roc_curve

    wrong, right, cuts = roc_curve(held["label"], held["score"])
    at = min(range(len(cuts)), key=lambda i: abs(cuts[i] - mortgages.THRESHOLD))
    points = tuple((float(x), float(y)) for x, y in zip(wrong, right, strict=True))
    curve = Roc(name=recipe.name, points=points, area=judged.auc, decides_at=points[at])
    return RocCurves(title="ROC of held-out applications", curves=(curve,))


def approved_by_race(held: Any, recipe: Recipe) -> Figure:
    """The share approved in each group, with 95 % intervals, against four fifths of the highest."""
    rates = fairness.selection_rates(held["prediction"].to_numpy(), held["race"].to_numpy(dtype=str))
    bars = tuple(Bar(each.rate.value or 0.0, each.rate.low or 0.0, each.rate.high or 0.0) for each in rates)
    limit = FOUR_FIFTHS * max(bar.value for bar in bars)
    return GroupedBars(
        title="Approved, by race",
        groups=tuple(each.group for each in rates),
        series=(recipe.name,),
        bars=(bars,),
        thresholds=(Threshold(limit, "four fifths of the highest"),),
        y_name="share approved",
    )

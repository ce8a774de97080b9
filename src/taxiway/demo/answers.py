"""Act 1, step 10: the endpoint answers real requests, and every answer can be followed back to who approved it."""

from __future__ import annotations

import time
from typing import Any

from taxiway.demo import mortgages
from taxiway.demo.doors import taxiway
from taxiway.demo.scene import Scene, percentile
from taxiway.demo.tracked import MODEL, Trained
from taxiway.endpoints.contract import Answer
from taxiway.endpoints.rows import as_rows

ENDPOINT = "mortgage"
SINGLES = 200
BATCHES, BATCH_ROWS = 20, 100


def answer_and_trace(scene: Scene, trained: Trained) -> None:
    """Deploys the champion, asks it one by one and in batches, and traces an answer."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    narrator.step("Olu deploys it, and it answers")
    revision = olu.endpoints.deploy(ENDPOINT, f"{MODEL}@champion", note="first act of the demo")
    narrator.expect(revision.state == "live", "a live revision", f"{revision.state}: {revision.reason}")
    served = (revision.version, revision.bundle)
    narrator.expect(served == (trained.version.version, trained.version.bundle), "the approved bundle served", served)
    narrator.say(
        f"{revision.ref} serves {trained.name} in a process of its own, started after every byte was checked. "
        f"{scene.link(f'/endpoints/{ENDPOINT}')}"
    )
    last = ask(scene)
    trace(scene, last, trained)


def ask(scene: Scene) -> Answer:
    """Single and batch requests by the clock of the caller; gives the last single answer."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    rows = as_rows(mortgages.features(mortgages.clean(mortgages.read_applications())))
    times: dict[str, list[float]] = {"one row": [], f"{BATCH_ROWS} rows": []}
    answered: list[Answer] = []
    with narrator.progress("asking", SINGLES + BATCHES) as advance:
        for number in range(BATCHES):
            batch = rows[number * BATCH_ROWS :][:BATCH_ROWS]
            answered.append(timed(times[f"{BATCH_ROWS} rows"], scene, batch))
            advance(1)
        for number in range(SINGLES):
            answered.append(timed(times["one row"], scene, rows[number]))
            advance(1)
    count = sum(len(answer.predictions) for answer in answered)
    narrator.table(
        [
            {
                "requests": len(values),
                "of": what,
                "p50 ms": f"{percentile(values, 0.5):.1f}",
                "p99 ms": f"{percentile(values, 0.99):.1f}",
            }
            for what, values in times.items()
        ]
    )
    narrator.expect(all(answer.prediction_id for answer in answered), "a prediction id in every answer", answered)
    ids = {answer.prediction_id for answer in answered}
    narrator.expect(len(ids) == len(answered), "an id of its own for each request", len(ids))
    found = olu.endpoints.show(ENDPOINT).endpoint
    narrator.say(
        f"{len(answered)} requests, {count:,} rows, as the caller's clock has it (through the server to the gateway to "
        f"the worker and back, with the record written first); {found.errors} errors."
    )
    narrator.expect(found.errors == 0, "no errors", found.errors)
    return answered[-1]


def timed(times: list[float], scene: Scene, rows: Any) -> Answer:
    """The answer; how long it took, in ms, goes to `times`."""
    began = time.perf_counter()
    answer = scene.cast["olu"].endpoints.invoke(ENDPOINT, rows)
    times.append((time.perf_counter() - began) * 1000)
    return answer


def trace(scene: Scene, answer: Answer, trained: Trained) -> None:
    """What `taxiway endpoints trace` prints of an answer names everything that it rests on."""
    narrator = scene.narrator
    narrator.say(f"Where did prediction {answer.prediction_id} come from? `taxiway endpoints trace` says:")
    done = taxiway("endpoints", "trace", answer.prediction_id, url=scene.url, token=scene.cast.tokens["olu"])
    narrator.expect(done.returncode == 0, "exit code 0 from `taxiway endpoints trace`", done.stderr)
    narrator.show(done.stdout)
    lacking = [word for word in named(scene, answer, trained) if word not in done.stdout]
    narrator.expect(not lacking, "revision, version, run, code, data, gates and approval, all named", lacking)


def named(scene: Scene, answer: Answer, trained: Trained) -> list[str]:
    """What the story of a prediction must name."""
    story = scene.cast["olu"].endpoints.trace(answer.prediction_id)
    code = story.run.code if story.run else None
    gates = [gate.gate for stage in story.gates.stages for gate in stage.gates] if story.gates else []
    return [
        f"Revision {story.revision.number}",
        f"{trained.version.model} version {trained.version.version}",
        trained.version.bundle,
        trained.run,
        code.sources if code else "the run's code",
        *(dataset.digest for dataset in story.datasets),
        *gates,
        "fairness",
        "by vera as validator",
    ]

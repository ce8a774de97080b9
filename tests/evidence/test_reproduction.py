"""That a run was done again is said of what the first one left behind."""

from taxiway.evidence.statement import REPRODUCTION
from taxiway.runs.again.sameness import REPRODUCES
from taxiway.runs.contract import RecordReproduction, record_reproduction
from tests.gates.story import PROJECT, Story


def test_a_reproduction_is_signed_for_what_the_first_run_left(story: Story) -> None:
    with story.ana.runs.start(project=PROJECT) as first:
        first.log(loss=0.5)
        first.log_artifact(b"1 2 3", "weights.txt")
    with story.ana.runs.start(project=PROJECT, tags={REPRODUCES: first.id}) as again:
        again.log(loss=0.5)
        again.log_artifact(b"1 2 3", "weights.txt")

    body = RecordReproduction(again=again.id)
    found = story.ana.runs.transport.call(record_reproduction, body, run=first.id)

    [said] = story.ana.evidence.list(predicate_type=REPRODUCTION).items
    shown = story.ana.evidence.show(said.id)
    kept = {each.path: each.digest for each in story.ana.runs.artifacts(first.id)}
    subjects = {each.name: each.digest for each in said.subjects}
    assert said.thing == f"run:{first.id}"
    assert subjects["weights.txt"] == kept["weights.txt"]
    assert subjects[f"run:{first.id}"] == story.ana.runs.show(first.id).sealed
    assert shown.predicate["verdict"] == found.verdict
    assert story.ana.evidence.list(subject=kept["weights.txt"]).items == [said]

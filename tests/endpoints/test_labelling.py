"""Labels are only ever added: again changes nothing, otherwise is a conflict, of nothing is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.endpoints.contract import KeptLabel, Label, LabelConflict
from taxiway.endpoints.inferences.ageing.sealing import seal_closed
from taxiway.kernel.errors import BadField, NotAllowed
from tests.endpoints.story import Stage
from tests.support.live import Live


@pytest.fixture(scope="module")
def stage(live_for_all: Live, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("stage")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stage = Stage(live_for_all, folder)
        stage.promoted()
        stage.deployed()
    return stage


def kept_of(stage: Stage, request: str) -> list[KeptLabel]:
    """The labels of one request: the tests of this file share an endpoint."""
    return [each for each in stage.live.house.labels.of("mortgage") if each.prediction_id == request]


def test_the_same_label_again_changes_nothing(stage: Stage) -> None:
    request = stage.answered(rows=2)
    given = [Label(request, 1), Label(request, 0, row=1)]

    first = stage.ana.endpoints.label("mortgage", given)
    again = stage.ana.endpoints.label("mortgage", given)

    assert (first.new, first.known) == (2, 0)
    assert (again.new, again.known) == (0, 2)
    assert len(kept_of(stage, request)) == 2


def test_another_label_for_a_row_is_named_and_does_not_replace_the_first(stage: Stage) -> None:
    request = stage.answered()
    stage.ana.endpoints.label("mortgage", [Label(request, 1)])

    taken = stage.ana.endpoints.label("mortgage", [Label(request, 0)])

    assert taken.conflicts == [LabelConflict(request, 0, kept=1, given=0)]
    assert [each.label for each in kept_of(stage, request)] == [1]


def test_two_labels_for_a_row_in_one_batch_are_a_conflict(stage: Stage) -> None:
    request = stage.answered()

    taken = stage.ana.endpoints.label("mortgage", [Label(request, 1), Label(request, 1), Label(request, 0)])

    assert (taken.new, taken.known, taken.conflict_count) == (1, 1, 1)


def test_what_was_never_predicted_is_listed_and_the_rest_is_kept(stage: Stage) -> None:
    request = stage.answered()
    never = "0" * 32

    taken = stage.ana.endpoints.label("mortgage", [Label(never, 1), Label(request, 1), Label(request, 1, row=7)])

    assert (taken.new, taken.unknown_count, taken.unknown) == (1, 2, [f"{never}/0", f"{request}/7"])


def test_the_rows_of_a_large_request_are_found_before_and_after_they_are_sealed(stage: Stage) -> None:
    request, other = stage.answered(rows=40), stage.answered(rows=20)

    both = stage.ana.endpoints.label("mortgage", [Label(other, 1, row=19), Label(request, 1, row=7)])
    early = stage.ana.endpoints.label("mortgage", [Label(request, 1, row=row) for row in (0, 39, 40)])
    seal_closed(stage.home)
    late = stage.ana.endpoints.label("mortgage", [Label(request, 1, row=row) for row in (38, 39, 40)])

    assert both.new == 2
    assert (early.new, early.unknown) == (2, [f"{request}/40"])
    assert (late.new, late.known, late.unknown) == (1, 1, [f"{request}/40"])


def test_a_label_finds_its_prediction_in_sealed_segments_too(stage: Stage) -> None:
    request = stage.answered(rows=3)
    seal_closed(stage.home)

    assert stage.ana.endpoints.label("mortgage", [Label(request, True, row=2)]).new == 1


def test_a_label_keeps_its_type_and_its_time(stage: Stage) -> None:
    request, at = stage.answered(rows=3), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    stage.ana.endpoints.label(
        "mortgage",
        [
            {"prediction_id": request, "label": False, "at": at},
            {"prediction_id": request, "row": 1, "label": 0.25, "at": at},
            {"prediction_id": request, "row": 2, "label": "late", "at": at},
        ],
    )

    kept = kept_of(stage, request)
    assert [(each.label, each.at, each.by) for each in kept] == [
        (False, at, "ana"),
        (0.25, at, "ana"),
        ("late", at, "ana"),
    ]


def test_a_label_from_the_future_is_refused_and_nothing_is_kept(stage: Stage) -> None:
    request = stage.answered()
    later = datetime.now(UTC) + timedelta(days=2)

    with pytest.raises(BadField, match=r"labels\[1\].at"):
        stage.ana.endpoints.label("mortgage", [Label(request, 1), Label(request, 1, at=later)])

    assert kept_of(stage, request) == []


def test_who_only_looks_gives_no_labels(stage: Stage) -> None:
    vito = stage.live.as_person("viewer", "viewer", project="mortgages")

    with pytest.raises(NotAllowed):
        vito.endpoints.label("mortgage", [Label(stage.answered(), 1)])

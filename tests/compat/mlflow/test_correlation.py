"""How far kinds of traces coincide, asked with MLflow's client and by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from taxiway.compat.mlflow.correlation import JEFFREYS, npmi
from tests.compat.mlflow.conftest import Tracking

PATH = "//api/3.0/mlflow/traces/calculate-filter-correlation"


def tell(tracking: Tracking, experiment: str, number: int, state: str, tags: dict[str, str]) -> None:
    info = {
        "trace_id": f"tr-{int(experiment):016x}{number:016x}",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2026-11-23T10:00:00Z",
        "execution_duration": "1.5s",
        "state": state,
        "tags": tags,
    }
    told = tracking.call("POST", "//api/3.0/mlflow/traces", {"trace": {"trace_info": info}})
    assert told.status == 200, told


@pytest.fixture(scope="module")
def experiment(tracking: Tracking) -> str:
    """Ten traces: four went wrong, and three of those and one other were slow ones; all but one are of one team."""
    number = tracking.new_experiment("correlated")
    for nth in range(10):
        tags = {"pace": "slow" if nth in (0, 1, 2, 9) else "quick", "team": "b" if nth == 9 else "a"}
        tell(tracking, number, nth, "ERROR" if nth < 4 else "OK", tags)
    return number


def test_mlflows_client_is_told_how_far_errors_and_slowness_coincide(tracking: Tracking, experiment: str) -> None:
    def script(mlflow: Any, client: Any, *, experiment: str) -> Any:
        from mlflow.store.analytics.trace_correlation import calculate_npmi_from_counts
        from mlflow.tracing.client import TracingClient

        def asked(first: str, second: str, base: str | None = None) -> Any:
            found = TracingClient().calculate_trace_filter_correlation([experiment], first, second, base)
            counts = [found.joint_count, found.filter1_count, found.filter2_count, found.total_count]
            theirs = calculate_npmi_from_counts(*counts)
            same = [
                repr(abs(round(a - b, 9)))
                for a, b in zip((found.npmi, found.npmi_smoothed), (theirs.npmi, theirs.npmi_smoothed), strict=True)
            ]
            return [*counts, *same]

        return [
            asked("status = 'ERROR'", "tags.pace = 'slow'"),
            asked("status = 'ERROR'", "tags.pace = 'slow'", "tags.team = 'a'"),
            asked("status = 'ERROR'", "tags.team = 'b'"),
            asked("status = 'ERROR'", "tags.team = 'none'"),
            asked("tags.team = 'a'", "tags.team = 'a'", "tags.team = 'a'"),
        ]

    assert tracking.run(script, experiment=experiment) == [
        [3, 4, 4, 10, "0.0", "0.0"],
        [3, 4, 3, 9, "0.0", "0.0"],
        [0, 4, 1, 10, "0.0", "0.0"],
        [0, 4, 0, 10, "nan", "nan"],
        [9, 9, 9, 9, "0.0", "0.0"],
    ]


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"filter_string1": ""}, "Missing value for required parameter 'filter_string1'"),
        ({"filter_string2": "nothing = 'x'"}, "nothing"),
        ({"base_filter": "status >"}, "filter"),
        ({"experiment_ids": "1"}, "experiment_ids"),
    ],
)
def test_odd_questions_are_refused(tracking: Tracking, experiment: str, odd: dict[str, Any], said: str) -> None:
    asked = {"experiment_ids": [experiment], "filter_string1": "status = 'OK'", "filter_string2": "status = 'OK'"}

    told = tracking.call("POST", PATH, asked | odd)

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
    assert said in told.message


def test_what_is_of_other_experiments_is_not_counted(tracking: Tracking, experiment: str) -> None:
    asked = {"filter_string1": "status = 'OK'", "filter_string2": "status = 'OK'"}

    told = tracking.call("POST", PATH, {**asked, "experiment_ids": [tracking.new_experiment()]})

    assert told.body == {
        "npmi": "NaN",
        "npmi_smoothed": "NaN",
        **dict.fromkeys(("filter1_count", "filter2_count", "joint_count", "total_count"), 0),
    }


def test_the_figure_is_what_its_formula_says() -> None:
    assert npmi(10, 20, 15, 100) == pytest.approx(math.log(0.1 / (0.2 * 0.15)) / -math.log(0.1))
    assert npmi(4, 20, 20, 100) == pytest.approx(0)
    assert (npmi(0, 3, 4, 9), npmi(5, 5, 5, 5)) == (-1.0, 1.0)
    assert -1 < npmi(0, 3, 4, 9, added=JEFFREYS) < 0
    assert math.isnan(npmi(0, 0, 4, 9))

"""What the outside sees of canaries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.gates.canaries.contract import CanaryMetric
from taxiway.kernel.endpoint import Endpoint, Nothing

Decision = Literal["promote", "roll back", "not enough yet"]
CanaryState = Literal["running", "promoted", "rolled back", "ended"]
Reason = Annotated[str, Meta(max_length=2000)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a candidate may differ by while labels are late.

    failures: how much oftener it may give no answer, as a share of rows. disagreement: of predictions. score_shift: of
    the mean score, to either side. latency: how many times as long it may take, by the geometric mean.
    """

    failures: Annotated[float, Meta(gt=0, le=1)] = 0.01
    disagreement: Annotated[float, Meta(gt=0, le=1)] = 0.25
    score_shift: Annotated[float, Meta(gt=0, le=1)] = 0.1
    latency: Annotated[float, Meta(gt=1)] = 3.0


class BeginCanary(Struct, frozen=True, forbid_unknown_fields=True):
    """version: such as ``mortgage@4``. What is left out is as the gate `canary` of the version's path asks it.

    share: of the requests, that it answers; both versions score all of them. non_inferiority: by how much its loss may
    be worse; is_better: it must be better instead. cluster: ``hour``, ``day``, ``week``, or the field of a row whose
    value is the key: then a key's cluster is its rows of the 24 hours from its first on. labelled: the share of a
    cluster's rows that must have labels before it counts. alpha: how often the interval may miss the truth at any look.
    paired: false has each request scored by the version alone that answers it: half the work, and many more rows until
    something is shown; clusters are of time then.
    """

    version: str
    share: Annotated[float, Meta(gt=0, le=0.5)] | None = None
    metric: CanaryMetric | None = None
    non_inferiority: Annotated[float, Meta(ge=0)] | None = None
    is_better: bool = False
    cluster: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    min_clusters: Annotated[int, Meta(ge=6, le=1000)] | None = None
    labelled: Annotated[float, Meta(gt=0, le=1)] = 0.9
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    paired: bool | None = None
    limits: Limits = Limits()
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    may_run_code: bool = False
    reason: Reason = ""


class EndCanary(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason = ""


class Totals(Struct, frozen=True):
    """What counts of a whole cluster. name: its day, hour or key; difference: candidate less champion, summed.

    champion, candidate: their losses, summed, each over the rows that it scored. candidate_rows: of an unpaired canary,
    how many of the rows the candidate answered; the champion answered the others, and there is no difference by row.
    """

    name: str
    rows: int
    difference: float
    champion: float = 0.0
    candidate: float = 0.0
    candidate_rows: int = 0


class Verdict(Struct, frozen=True):
    """What a look found. estimate: the mean difference of losses, above 0 where the candidate is worse; low, high: its
    interval, which holds at all looks at once. missing: whole clusters until the first look; forecast: clusters after
    which it is decided if all goes on so, None where that cannot be said. looks: how many there were, with this one.
    """

    decision: Decision
    sentence: str
    clusters: int
    rows: int
    looks: int
    alpha: float
    margin: float
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    champion: float | None = None
    candidate: float | None = None
    kinship: float | None = None
    freedom: int | None = None
    missing: int = 0
    forecast: int | None = None


class Proxy(Struct, frozen=True):
    """What stands in for labels while they are late. broken: the measure past its limit beyond doubt, if any."""

    hours: int
    rows: int
    broken: str
    sentence: str
    estimates: dict[str, float]
    lows: dict[str, float]
    highs: dict[str, float]
    limits: dict[str, float]


class Progress(Struct, frozen=True):
    """What was gathered. pairs: rows that both versions scored, or in an unpaired canary one of them; waiting: those
    in clusters that do not count yet, of which `labelled` have labels; open: such clusters; late: rows that came for a
    cluster that had counted already; unscored: labelled rows whose answers define no loss; failed: rows that one of
    the two gave no answer to.
    """

    pairs: int = 0
    waiting: int = 0
    labelled: int = 0
    open: int = 0
    late: int = 0
    unscored: int = 0
    failed: int = 0
    dropped: int = 0


class Canary(Struct, frozen=True):
    """A candidate on trial. champion: the number of the revision that answered before. why: how it ended.

    blocked: why what was shown cannot be done yet, such as an approval that has run out. said: the verdict in words, as
    of the last look or before it. paired: whether both versions score every request.
    """

    id: str
    endpoint: str
    candidate: int
    champion: int
    model: str
    version: int
    bundle: str
    champion_ref: str
    champion_bundle: str
    share: float
    metric: CanaryMetric
    non_inferiority: float | None
    cluster: str
    min_clusters: int
    labelled: float
    alpha: float
    limits: Limits
    begun_by: str
    begun_at: datetime
    reason: str = ""
    state: CanaryState = "running"
    ended_at: datetime | None = None
    why: str = ""
    blocked: str = ""
    progress: Progress = Progress()
    proxy: Proxy | None = None
    paired: bool = True
    said: str = ""


class CanaryDetail(Struct, frozen=True):
    """A canary with its verdict now, every look there was, oldest first, and its whole clusters."""

    canary: Canary
    verdict: Verdict
    looks: list[Verdict]
    clusters: list[Totals]


begin_canary = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/canary",
    BeginCanary,
    CanaryDetail,
    "endpoints.deploy",
    "Let a version answer a share until it is shown to be no worse, or worse",
    guarded=True,
)
show_canary = Endpoint(
    "GET", "/api/endpoints/{endpoint}/canary", Nothing, CanaryDetail, "endpoints.read", "How the latest canary does"
)
end_canary = Endpoint(
    "DELETE",
    "/api/endpoints/{endpoint}/canary",
    EndCanary,
    CanaryDetail,
    "endpoints.deploy",
    "End the canary without a verdict; the version before answers all",
)

"""Whether a check keeps what the port asks of it: run it in your tests, as Taxiway does with its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from taxiway.gates.checks.port import Case, inputs_asked
from taxiway.gates.checks.register import BadCheck, require_check
from taxiway.gates.contract import Outcome, Verdict
from taxiway.gates.laws.rules import is_measured, verdict_on
from taxiway.kernel.errors import TaxiwayError
from taxiway.testing.samples import Sample, sample_cases

HEAVY = ("sklearn", "pandas", "torch", "tensorflow", "lightgbm", "xgboost", "scipy", "transformers")
LONGEST_TITLE = 160


class CheckUnfit(AssertionError):
    """What a check does not keep, a line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The check does not keep its port:", *(f"- {each}" for each in problems)]))


def check_conformance(check: Any, parameters: Mapping[str, Any], *, cases: Iterable[Case] = ()) -> None:
    """Nothing for a check that keeps its port. Raises CheckUnfit with everything that it does not keep.

    parameters: as a path's YAML would give them. cases: further ones of your own, beside those of `sample_cases`.

    >>> from taxiway.gates.checks.register import CHECKS
    >>> check_conformance(CHECKS["performance"], {"metric": "accuracy", "at_least": 0.8})
    """
    try:
        require_check(getattr(check, "name", ""), check)
    except BadCheck as e:
        raise CheckUnfit([str(e)]) from e
    problems = [*of_parameters(check, parameters), *of_module(check)]
    try:
        asked = msgspec.convert(dict(parameters), check.parameters)
    except msgspec.ValidationError as e:
        raise CheckUnfit([*problems, f"the parameters you gave are refused: {e}"]) from e
    problems += of_title(check, asked)
    with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
        given = [Sample(f"your case {i + 1}", case) for i, case in enumerate(cases)]
        for sample in (*sample_cases(Path(folder), inputs_asked(check, asked)), *given):
            problems += [f"{sample.what}: {problem}" for problem in of_answer(check, asked, sample.case)]
    if problems:
        raise CheckUnfit(problems)


def of_parameters(check: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    """What a path's text needs of them: nothing unknown passes, and what was read can be kept and read again."""
    kind = check.parameters
    if not kind.__struct_config__.forbid_unknown_fields:
        yield "its parameters take unknown fields: a misspelt one would pass unseen (forbid_unknown_fields=True)"
    if not kind.__struct_config__.frozen:
        yield "its parameters can change after they were read (frozen=True)"
    try:
        asked = msgspec.convert(dict(parameters), kind)
    except msgspec.ValidationError:
        return
    if msgspec.convert(msgspec.json.decode(msgspec.json.encode(asked)), kind) != asked:
        yield "its parameters are not the same after they were kept as JSON"


def of_module(check: Any) -> Iterator[str]:
    """The server imports it, and loads no library of models."""
    module = type(check).__module__
    if module == "__main__" or module.startswith("taxiway."):  # ours are looked at all at once
        return
    script = f"import sys; sys.path[:0] = {sys.path!r}; before = set(sys.modules); import {module}; "
    script += f"print([name for name in {HEAVY!r} if name in set(sys.modules) - before])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if found.returncode:
        yield f"its module {module} cannot be imported by itself: {found.stderr.strip().rpartition(chr(10))[2]}"
    elif found.stdout.strip() != "[]":
        yield f"importing {module} loads {found.stdout.strip()}: import libraries of models inside of `ask`"


def of_title(check: Any, asked: Any) -> Iterator[str]:
    title = check.title(asked)
    if not (isinstance(title, str) and title.strip()) or "\n" in title or len(title) > LONGEST_TITLE:
        yield f"its title is no line of at most {LONGEST_TITLE} characters: {title!r}"
    elif title.endswith("."):
        yield f"its title ends in a full stop; it stands within sentences: {title!r}"
    if title != check.title(asked):
        yield "its title is another when it is asked again"


def of_answer(check: Any, asked: Any, case: Case) -> Iterator[str]:
    """What it answers about a case, twice."""
    try:
        outcome, again = check.ask(asked, case), check.ask(asked, case)
    except TaxiwayError as refusal:
        yield str(refusal)
        return
    except Exception as e:  # noqa: BLE001 - a plug-in: whatever it raises is what is to be told
        yield f"it raises {type(e).__name__}: {e}. What data do not define is an answer too, such as `missing`"
        return
    if not isinstance(outcome, Outcome):
        yield f"it answers with {type(outcome).__name__}, not with an Outcome"
        return
    yield from of_outcome(outcome)
    if again.verdict != outcome.verdict:
        yield f"it says {outcome.verdict} and then {again.verdict} of the same: fix its seed"


def of_outcome(outcome: Outcome) -> Iterator[str]:
    """What evidence, pages and refusals need of an answer."""
    if outcome.verdict not in get_args(Verdict) or outcome.verdict == "waived":
        yield f"its verdict {outcome.verdict!r} is none that a check gives"
    try:
        data = msgspec.msgpack.encode(outcome)
        kept = msgspec.msgpack.decode(data, type=Outcome)
    except (TypeError, msgspec.ValidationError) as e:
        yield f"its answer cannot be kept: {e}"
        return
    if kept.verdict != outcome.verdict or kept.reason != outcome.reason:
        yield "its answer is not the same after it was kept"
    if not outcome.reason.rstrip().endswith((".", "!", "?")):
        yield f"its reason is no sentence for people: {outcome.reason!r}"
    if outcome.verdict in ("fail", "missing") and not outcome.advice:
        yield f"it says {outcome.verdict} and not what to do next (advice)"
    yield from of_numbers(outcome)


def of_numbers(outcome: Outcome) -> Iterator[str]:
    estimate, asked = outcome.estimate, outcome.threshold
    if estimate is None:
        return
    if not estimate.method:
        yield "its estimate names no method"
    if not is_measured(estimate):
        if not estimate.undefined:
            yield "its estimate is no number and does not say why (undefined)"
        if outcome.verdict == "pass":
            yield "it passes although nothing was measured"
        return
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    if not estimate.low <= estimate.value <= estimate.high:
        yield f"its value {estimate.value:g} lies outside of its interval [{estimate.low:g}, {estimate.high:g}]"
    if estimate.n < 1:
        yield "its estimate rests on no rows"
    if asked is not None and outcome.verdict == "pass" and verdict_on(estimate, asked) != "pass":
        yield f"it passes although its interval does not lie on the good side of {asked}"

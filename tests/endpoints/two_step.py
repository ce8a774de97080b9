"""A service as a user would write it, for the tests that deploy one: two versions in a graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taxiway.adapters.python import Context


class TwoStep:
    """Asks the first version, and the second one where the first is unsure."""

    uses: dict[str, str] = {}
    files: dict[str, Path] = {}

    def load(self, context: Context) -> None:
        self.first, self.second = context.models["first"], context.models["second"]
        self.margin = float((context.folder / "margin.txt").read_text())

    def before(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "income": max(row["income"], 0.0)} for row in rows]

    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answers = self.first.predict(rows)
        unsure = [n for n, answer in enumerate(answers) if abs(answer["score"] - 0.5) < self.margin]
        for n, answer in zip(unsure, self.second.predict([rows[n] for n in unsure]), strict=True):
            answers[n] = answer
        return [{**answer, "by": "second" if n in unsure else "first"} for n, answer in enumerate(answers)]

    def stream(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What each version says; a large income is looked at again and again, and at one that is larger it breaks."""
        if row["income"] >= 1e6:
            for number in range(500):
                time.sleep(0.02)
                yield {"prediction": f"{number} "}
                if row["income"] >= 1e7 and number == 2:
                    raise ZeroDivisionError("nobody earns that")
        for name, model in (("first", self.first), ("second", self.second)):
            [answer] = model.predict([row])
            yield {**answer, "by": name}

    def after(self, rows: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**answer, "where": f"district {row['district']}"} for row, answer in zip(rows, answers, strict=True)]

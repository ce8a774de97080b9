"""Models that fairlearn found, made to answer a row the same every time.

ExponentiatedGradient returns a few classifiers and a weight for each, and its `predict` draws one of them at
random for every row. The parity it promises holds on average over those draws; but an applicant who asks
twice may get two answers, and nobody can say why afterwards. So the mix votes instead of drawing: the score
is the weighted mean of its members' answers, and a threshold decides. Whether the parity survives that is
measured on held-out rows, by the same gate as for any other model; it is not assumed.

ThresholdOptimizer finds cuts of its own for each group, and draws between two of them. `GroupThresholds` keeps the cuts
and answers with the probability of yes. It reads the group of everybody it decides about, and says so: the group is one
of its inputs.

Nothing here imports fairlearn: a worker serves the mix without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

Voting = Literal["soft", "hard"]


class WeightedMix(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fixed weighted vote of classifiers with the labels 0 and 1, fitted already.

    voting: "hard" takes each member's label, which is fairlearn's own expected answer (`_pmf_predict`);
    "soft" takes its probability of 1 and so also ranks rows on which all members agree.
    """

    def __init__(self, members: Sequence[Any] = (), weights: Sequence[float] = (), voting: Voting = "soft") -> None:
        self.members = members
        self.weights = weights
        self.voting = voting

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The labels, no before yes."""
        return np.array([0, 1])

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The columns that the members were trained with; absent where they saw plain arrays."""
        names: NDArray[np.object_] = self.members[0].feature_names_in_
        return names

    def __sklearn_is_fitted__(self) -> bool:
        return len(self.members) > 0

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's words
        """Refuses: the members come from the mitigation, not from here."""
        raise TypeError("A WeightedMix is made of fitted members; see `as_mix`.")

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """The weighted shares of no and yes, shape (rows, 2)."""
        yes = sum(weight * self._yes(member, X) for member, weight in zip(self.members, self.weights, strict=True))
        return np.column_stack([1 - yes, yes])

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """1 where at least half of the weight says yes."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)

    def _yes(self, member: Any, rows: Any) -> NDArray[np.float64]:
        if self.voting == "hard":
            return np.asarray(member.predict(rows), dtype=np.float64)
        return np.asarray(member.predict_proba(rows)[:, 1], dtype=np.float64)


def as_mix(mitigated: Any, *, voting: Voting = "soft") -> WeightedMix:
    """The members that count of a fitted ExponentiatedGradient, and their weights, as a `WeightedMix`.

    Members whose weight is zero never answer and are left behind.
    """
    weights = np.asarray(mitigated.weights_, dtype=float)
    counting = [index for index, weight in enumerate(weights) if weight > 0]
    share = weights[counting] / weights[counting].sum()
    return WeightedMix([mitigated.predictors_[index] for index in counting], share.tolist(), voting)


Cut = tuple[float, str, float]  # a weight, ">" or "<", and the score that is held against


class GroupThresholds(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fitted classifier of 0 and 1 whose scores are cut elsewhere for each group.

    attribute: the column that names a row's group. cuts: for each group, the answers that are weighed.
    """

    def __init__(self, model: Any = None, attribute: str = "", cuts: Mapping[str, Sequence[Cut]] | None = None) -> None:
        self.model = model
        self.attribute = attribute
        self.cuts = cuts

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The labels, no before yes."""
        return np.array([0, 1])

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """What the classifier was trained with, and the group's column."""
        return np.array([*self.model.feature_names_in_, self.attribute], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return self.model is not None

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's words
        """Refuses: the cuts come from the mitigation, not from here."""
        raise TypeError("GroupThresholds are made of a fitted ThresholdOptimizer; see `as_cuts`.")

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """The probabilities of no and yes, shape (rows, 2): how ThresholdOptimizer would draw. A group that was not
        there in training is answered no."""
        groups = np.asarray(X[self.attribute], dtype=str)
        features = X[list(self.model.feature_names_in_)].astype(np.float64)
        scores = np.asarray(self.model.predict_proba(features)[:, 1], dtype=np.float64)
        yes = np.zeros(scores.size)
        for group, cuts in (self.cuts or {}).items():
            inside = groups == group
            for weight, side, cut in cuts:
                yes[inside] += weight * (scores[inside] > cut if side == ">" else scores[inside] < cut)
        yes = np.clip(yes, 0.0, 1.0)
        return np.column_stack([1 - yes, yes])

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """1 where yes is at least as probable as no."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.int64)


def as_cuts(optimized: Any, attribute: str) -> GroupThresholds:
    """A fitted ThresholdOptimizer of two cuts a group as `GroupThresholds` that read the group from `attribute`."""
    fitted = optimized.interpolated_thresholder_
    cuts = {
        str(group): [
            (
                float(rule[f"p{number}"]),
                str(rule[f"operation{number}"]._operator),  # noqa: SLF001 - fairlearn has no public name for it
                float(rule[f"operation{number}"]._threshold),  # noqa: SLF001
            )
            for number in (0, 1)
        ]
        for group, rule in fitted.interpolation_dict.items()
    }
    return GroupThresholds(fitted.estimator_, attribute, cuts)

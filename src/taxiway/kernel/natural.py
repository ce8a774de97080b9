"""The order in which people count."""

import re

DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[list[str | int], str]:
    """What names are sorted by: their digits count as numbers.

    >>> sorted(["layer_10", "layer_2", "auc"], key=natural)
    ['auc', 'layer_2', 'layer_10']
    """
    parts = DIGITS.split(name)  # text and digits in turn, so that like is compared with like
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name

"""Kubernetes' quantities: 1, ".5", "500m", "2Gi", "1.5e9"."""

import re
from decimal import Decimal
from typing import Any

_SUFFIXES = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("0.001"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
# Exponents of two digits: a larger number is no quantity, perhaps none that a computer can hold.
_NUMBER = r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_QUANTITY = re.compile(rf"({_NUMBER}(?:[eE][+-]?[0-9]{{1,2}})?)({'|'.join(_SUFFIXES)})")


def parse_quantity(value: Any) -> Decimal | None:
    """The number that it means; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _QUANTITY.fullmatch(str(value))
    return Decimal(match[1]) * _SUFFIXES[match[2]] if match else None

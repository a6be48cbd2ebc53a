"""An order that is not placed yet, with how its text was understood."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.batch.order import Order
from scripts.request.interpret.interpretation import Interpretation


@dataclass(frozen=True)
class PlannedOrder:
    """An order and how its text was understood; None for notes from a file."""

    order: Order
    understood: Interpretation | None = None

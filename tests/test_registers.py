"""Registers: the second part lies higher, and its highest notes stand in one place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scripts.composer.registers import plan_registers


@given(
    st.lists(st.integers(1, 16), min_size=1, max_size=4), st.integers(24, 80), st.integers(12, 30)
)
def test_every_bar_has_a_singable_register_within_the_range(
    parts: list[int], low: int, span: int
) -> None:
    registers = plan_registers(parts, low, low + span)
    assert len(registers) == sum(parts)
    assert all(low <= bottom < top <= low + span and top - bottom >= 8 for bottom, top in registers)


def test_the_second_part_lies_higher_and_has_the_only_climax() -> None:
    registers = plan_registers((8, 8), 57, 79)
    assert max(top for _, top in registers[:8]) < 79
    assert min(bottom for bottom, _ in registers[8:]) > 57
    climax = [bar for bar, (_, top) in enumerate(registers) if top == 79]
    assert climax == [12, 13]


def test_a_narrow_range_is_left_whole() -> None:
    assert plan_registers((4, 4), 60, 72) == [(60, 72)] * 8

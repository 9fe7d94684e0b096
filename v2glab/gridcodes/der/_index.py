"""Enumerations whose members count from zero, to name places in an array."""

from enum import IntEnum


class Index(IntEnum):
    """A member is its place."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count

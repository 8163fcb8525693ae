"""The powers that the operations of assessment need."""

from enum import StrEnum


class Powers(StrEnum):
    """Their codes on the power list."""

    READ_BOARD = "board.read"
    PUBLISH = "periods.publish"

"""Relations within a household (与户主关系)."""

from enum import StrEnum


class Relation(StrEnum):
    """To the head of the household (户主)."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"

"""What fell due and was not settled by its day (到期未办): it is reported as a case, once."""

from datetime import date
from uuid import UUID, uuid5

from contracts.common import Title

CASES = UUID("c2f0a6e1-7d3b-4b57-8f0e-52a1d9c4e6b3")
"""The namespace of the ids of cases that rules report."""
SETTLED = "登记已办结 / settled by the register"
"""Why such a case is called off."""


def case_of(due: str) -> str:
    """The id of the case about this due: the same however often it is told."""
    return uuid5(CASES, due).hex


def words(title: Title, on: date, visit: str) -> str:
    """What the report says, of nobody in particular: who it is about, those find by the visit who may see visits."""
    return (
        f"{title.zh}：{on} 到期，登记中仍未办结。对象见走访 {visit}\n"
        f"{title.en}: due on {on}, and still not settled by the register. Of whom or what: see visit {visit}"
    )

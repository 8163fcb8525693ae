"""Ids that follow from the source's own reference, so that a second import knows everyone again.

They are pseudonymous: they stand on topics and in traces, so nothing of an identity number may be in them. An
identity number as the reference is refused, because such an id could be found by trying all numbers.
"""

import re
from uuid import UUID, uuid5

from registry.domain import identity_number
from registry.domain.faults import Fault, Why

REGISTRY = UUID("5e0f5a0c-6f1b-5a6e-9a57-3c2f1d0b8e47")
CODE = re.compile(r"[\w.-]{1,64}")


OWN = re.compile(r"id:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""A reference that is an id already, as snapshots write it."""


def id_of(register: str, reference: str) -> str:
    """The id of a thing: the same for the same reference in the same register, for ever."""
    if own := OWN.fullmatch(reference):
        return own[1]
    return str(uuid5(REGISTRY, f"{register}/{reference}"))


def check_reference(field: str, reference: str) -> None:
    """Raises Fault if the source uses identity numbers as references."""
    if identity_number.is_well_formed(reference.upper()) and identity_number.checks(reference.upper()):
        raise Fault(field, Why.REFERENCE)


def check_code(field: str, code: str) -> None:
    """Raises Fault unless the code of a grid, a post's holder or a category can be an id as it is."""
    if not CODE.fullmatch(code):
        raise Fault(field, Why.CODE)
    check_reference(field, code)

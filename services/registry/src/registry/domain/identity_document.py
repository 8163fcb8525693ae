"""Identity documents (身份证件), and what their numbers look like.

Identity cards and residence permits bear a number by GB 11643, and so do foreigners' permanent resident cards since
2023 (the older ones: three letters and twelve digits). Of the others, only the form is judged: who issued a passport
knows whether it exists.
"""

import re
from collections.abc import Mapping

from contracts.common import IdentityDocument
from contracts.registry import PersonFacts

from registry.domain import identity_number
from registry.domain.faults import Fault, Why
from registry.domain.identity_number import FEMALE, MALE

FORMS: Mapping[IdentityDocument, str] = {
    IdentityDocument.PASSPORT: r"[A-Z0-9]{5,17}",
    IdentityDocument.HK_MACAO_PERMIT: r"[HM][0-9]{8}(?:[0-9]{2})?",
    IdentityDocument.TAIWAN_PERMIT: r"[0-9]{8}|[0-9]{10}[A-Z]?",
    IdentityDocument.FOREIGN_RESIDENT_CARD: r"[A-Z]{3}[0-9]{12}",
    IdentityDocument.NONE: r"",
}
BY_GB_11643: Mapping[IdentityDocument, str] = {
    IdentityDocument.IDENTITY_CARD: "",
    IdentityDocument.RESIDENCE_PERMIT: "8[123]",
    IdentityDocument.FOREIGN_RESIDENT_CARD: "9",
}
"""What the number begins with."""


def check_document(facts: PersonFacts) -> None:
    """Raises Fault unless the number can be one of the document's, and date of birth and sex agree with it where it
    holds them."""
    number, document = facts.id_number, facts.document
    begins = BY_GB_11643.get(document)
    if begins is not None and (identity_number.is_well_formed(number) or document not in FORMS):
        _check_number(facts, begins)
    elif not re.fullmatch(FORMS[document], number):
        raise Fault("id_number", Why.DOCUMENT_NUMBER if number else Why.MISSING)


def _check_number(facts: PersonFacts, begins: str) -> None:
    number = facts.id_number
    if not identity_number.is_well_formed(number):
        raise Fault("id_number", Why.IDENTITY_NUMBER)
    if not re.match(begins, number):
        raise Fault("id_number", Why.DOCUMENT_NUMBER)
    if not identity_number.checks(number):
        raise Fault("id_number", Why.CHECKSUM)
    if facts.birth_date != identity_number.birth_date_in(number):
        raise Fault("birth_date", Why.BIRTH_DATE)
    if facts.sex in (MALE, FEMALE) and facts.sex != identity_number.sex_in(number):
        raise Fault("sex", Why.SEX)

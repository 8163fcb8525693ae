"""Several sources tell of one thing: a source is heard when it says something new, and a rule settles who is right."""

from contracts.registry import (
    PersonChanged,
    PersonConfirmed,
    PersonDisputed,
    PersonRegistered,
)
from events.testing import given
from registry.domain.entry import ASK, Register
from registry.domain.person import PERSON
from registry.domain.sources import DECISION

from .facts import TAN

OLD, NEW, OTHER = "15496301248", "15496301249", "15496301250"
FILE = TAN.model_copy(update={"source": "file", "phone": OLD})
REGISTERED = PersonRegistered(**dict(FILE))
POLICE = FILE.model_copy(update={"source": "police"})


def put_right(phone: str) -> PersonChanged:
    return PersonChanged(**dict(FILE.model_copy(update={"phone": phone, "source": DECISION})))


def test_a_source_that_repeats_itself_does_not_undo_what_was_put_right() -> None:
    given(PERSON, REGISTERED, put_right(NEW)).when(Register(FILE)).then()


def test_a_source_that_says_something_new_is_heard() -> None:
    news = FILE.model_copy(update={"phone": OTHER})
    given(PERSON, REGISTERED, put_right(NEW)).when(Register(news)).then(PersonChanged(**dict(news)))


def test_only_what_is_new_is_taken_over() -> None:
    news = FILE.model_copy(update={"name": "谭锐"})  # and the old telephone
    then = PersonChanged(**dict(FILE.model_copy(update={"name": "谭锐", "phone": NEW})))
    given(PERSON, REGISTERED, put_right(NEW)).when(Register(news)).then(then)


def test_a_second_source_that_says_the_same_confirms_it_once() -> None:
    confirmed = PersonConfirmed(person=TAN.person, source="police")
    given(PERSON, REGISTERED).when(Register(POLICE)).then(confirmed)
    given(PERSON, REGISTERED, confirmed).when(Register(POLICE)).then()
    # From then on it has spoken: saying the same again undoes nothing.
    given(PERSON, REGISTERED, confirmed, put_right(NEW)).when(Register(POLICE)).then()


def test_the_less_trusted_source_is_not_believed_and_what_it_says_is_kept() -> None:
    rules = {"phone": ("file", "police")}
    differing = POLICE.model_copy(update={"phone": NEW})
    disputed = PersonDisputed(**dict(differing), disputed=("phone",))
    given(PERSON, REGISTERED).when(Register(differing, rules=rules)).then(disputed)
    given(PERSON, REGISTERED, disputed).when(Register(differing, rules=rules)).then()
    given(PERSON, REGISTERED).when(Register(differing, rules={"phone": ("police", "file")})).then(
        PersonChanged(**dict(differing))
    )


def test_of_one_row_a_field_can_be_believed_and_another_not() -> None:
    differing = POLICE.model_copy(update={"phone": NEW, "name": "谭锐"})
    given(PERSON, REGISTERED).when(Register(differing, rules={"phone": ASK})).then(
        PersonChanged(**dict(POLICE.model_copy(update={"name": "谭锐"}))),
        PersonDisputed(**dict(differing), disputed=("phone",)),
    )


def test_a_person_decides_and_the_dispute_ends() -> None:
    differing = POLICE.model_copy(update={"phone": NEW})
    disputed = PersonDisputed(**dict(differing), disputed=("phone",))
    given(PERSON, REGISTERED, disputed).when(
        Register(FILE.model_copy(update={"phone": NEW, "source": DECISION}), rules={"phone": ASK})
    ).then(put_right(NEW))
    assert PERSON.fold([REGISTERED, disputed]).register.disputed == {"police": ("phone",)}
    assert PERSON.fold([REGISTERED, disputed, put_right(NEW)]).register.disputed == {}
    assert PERSON.fold([REGISTERED, disputed, put_right(OLD)]).register.disputed == {}


def test_a_dispute_ends_when_the_register_comes_to_say_the_same() -> None:
    disputed = PersonDisputed(**dict(POLICE.model_copy(update={"phone": NEW})), disputed=("phone",))
    same = PersonChanged(**dict(FILE.model_copy(update={"phone": NEW})))
    assert PERSON.fold([REGISTERED, disputed, same]).register.disputed == {}


def test_of_what_a_file_does_not_speak_the_register_knows() -> None:
    partial = TAN.model_copy(update={"source": "file", "name": "谭锐"})
    given(PERSON, REGISTERED).when(Register(partial, said=frozenset({"name"}))).then(
        PersonChanged(**dict(FILE.model_copy(update={"name": "谭锐"})))
    )

"""GB 11643 and GB 32100: what a number says about itself."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.domain import credit_code, identity_number

DIGITS = "0123456789"
bodies = st.text(DIGITS, min_size=17, max_size=17)
code_bodies = st.text(credit_code.ALPHABET, min_size=17, max_size=17)


def test_the_standards_own_example_checks() -> None:
    assert identity_number.checks("11010519491231002X")
    assert identity_number.birth_date_in("11010519491231002X") == date(1949, 12, 31)
    assert identity_number.sex_in("11010519491231002X") == identity_number.FEMALE


@pytest.mark.parametrize("number", ["44052418800101001", "11010519491231002x", "1101051949123100２X", "", "X" * 18])
def test_what_has_not_the_form_of_an_identity_number_is_none(number: str) -> None:
    assert not identity_number.is_well_formed(number)


@given(bodies)
def test_exactly_one_check_character_is_right(body: str) -> None:
    right = [mark for mark in "0123456789X" if identity_number.checks(body + mark)]
    assert right == [identity_number.check_character(body)]


@given(bodies)
def test_the_weighted_sum_is_one_modulo_eleven_as_iso_7064_says(body: str) -> None:
    number = body + identity_number.check_character(body)
    values = [10 if mark == "X" else int(mark) for mark in number]
    assert sum(value * pow(2, 17 - place, 11) for place, value in enumerate(values)) % 11 == 1


@given(bodies, st.integers(0, 16), st.sampled_from(DIGITS))
def test_a_miscopied_digit_is_found(body: str, place: int, digit: str) -> None:
    number = body + identity_number.check_character(body)
    miscopied = number[:place] + digit + number[place + 1 :]
    assert identity_number.checks(miscopied) == (miscopied == number)


@given(bodies, st.integers(0, 15))
def test_two_digits_exchanged_are_found(body: str, place: int) -> None:
    number = body + identity_number.check_character(body)
    exchanged = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert identity_number.checks(exchanged) == (exchanged == number)


@given(st.dates(min_value=date(1000, 1, 1)), st.integers(0, 999))
def test_date_of_birth_and_sex_are_read_from_the_number(born: date, sequence: int) -> None:
    number = f"990502{born:%Y%m%d}{sequence:03}0"
    assert identity_number.birth_date_in(number) == born
    assert identity_number.sex_in(number) == (identity_number.MALE if sequence % 2 else identity_number.FEMALE)


def test_a_day_that_no_calendar_has_is_no_date_of_birth() -> None:
    assert identity_number.birth_date_in("990502199502300010") is None


def test_the_credit_code_given_as_an_example_with_the_standard_checks() -> None:
    assert credit_code.is_well_formed("91350100M000100Y43")
    assert credit_code.checks("91350100M000100Y43")


@pytest.mark.parametrize("code", ["91350100M000100Y4", "9135010OM000100Y43", "91350100m000100y43"])
def test_what_has_not_the_form_of_a_credit_code_is_none(code: str) -> None:
    assert not credit_code.is_well_formed(code)


@given(code_bodies)
def test_the_weighted_sum_of_a_credit_code_is_zero_modulo_31(body: str) -> None:
    code = body + credit_code.check_character(body)
    weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1]
    values = map(credit_code.ALPHABET.index, code)
    assert sum(value * weight for value, weight in zip(values, weights, strict=True)) % 31 == 0
    assert [mark for mark in credit_code.ALPHABET if credit_code.checks(body + mark)] == [code[17]]


@given(code_bodies, st.integers(0, 16), st.sampled_from(credit_code.ALPHABET))
def test_a_miscopied_character_of_a_credit_code_is_found(body: str, place: int, mark: str) -> None:
    code = body + credit_code.check_character(body)
    miscopied = code[:place] + mark + code[place + 1 :]
    assert credit_code.checks(miscopied) == (miscopied == code)

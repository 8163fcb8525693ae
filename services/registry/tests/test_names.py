"""Names are found as people spell them, and who is alike is told with reasons."""

from datetime import date

import pytest
from registry.domain.likeness import WORDS, WORTH_SHOWING, compared
from registry.domain.names import looked_for, split, syllables, words

from .facts import TAN


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("王小明", "wang xiao ming"),
        ("曾雪", "zeng xue"),
        ("单雄信", "shan xiong xin"),
        ("欧阳锋", "ou yang feng"),
        ("尉迟恭", "yuchi gong"),
        ("吕布", "lv bu"),
    ],
)
def test_names_are_read_as_names(name: str, read: str) -> None:
    assert " ".join(syllables(name)) == read


def test_surnames_may_have_two_characters() -> None:
    assert [split(it) for it in ("欧阳锋", "王小明", "Smith")] == [("欧阳", "锋"), ("王", "小明"), ("Smith", "")]


@pytest.mark.parametrize(
    "sought",
    ["王小明", "王小", "小明", "Wang Xiaoming", "wangxiaoming", "wáng xiǎo míng", "WXM", "wangxm", "王 小明"],
)
def test_a_name_is_found_by_characters_pinyin_and_initials(sought: str) -> None:
    assert looked_for(sought) in words("王小明")


@pytest.mark.parametrize("sought", ["王明", "xm", "李小明", "wangming"])
def test_a_name_is_not_found_by_another_one(sought: str) -> None:
    assert looked_for(sought) not in words("王小明")


def test_one_person_entered_twice_with_a_miscopied_character_is_worth_a_look() -> None:
    again = TAN.model_copy(update={"person": "other", "name": "谭锐"})
    score, reasons = compared(TAN, again)
    assert score > WORTH_SHOWING
    assert [it.code for it in reasons][:3] == ["same_number", "same_birth_date", "sounds_alike"]


def test_siblings_in_one_home_with_one_telephone_are_not() -> None:
    sister = TAN.model_copy(
        update={"person": "sister", "name": "谭瑶", "id_number": "990502196803154644", "birth_date": date(1968, 3, 15)}
    )
    brothers_phone = TAN.model_copy(update={"phone": "15496301248"})
    score, _ = compared(brothers_phone, sister.model_copy(update={"phone": "15496301248", "sex": "2"}))
    assert score < WORTH_SHOWING


def test_every_reason_has_words() -> None:
    unlike = TAN.model_copy(
        update={"name": "李", "id_number": "990502199001010011", "birth_date": date(1990, 1, 1), "sex": "2"}
    )
    for other in (TAN, unlike, TAN.model_copy(update={"phone": "15496301248", "name": "谭瑶"})):
        assert {it.code for it in compared(TAN, other)[1]} <= WORDS.keys()

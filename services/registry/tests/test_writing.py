"""An address is the same however it is written; and what reads in two ways is not guessed at."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.domain.faults import WORDS
from registry.domain.numerals import arabic, writings
from registry.domain.writing import Parts, Unclear, folded, key, normalised, parse, part, spelling, writing

FLAT = Parts("蚕花路", "6", "1", "2", "", "301")

WAYS = [
    "蚕花路６號1栋二单元三〇一室",
    "蚕花路6号1幢2-301",
    "蚕花路6-1-2-301",
    "蚕花路6号1号楼2单元3层301",
    "蚕花路6号一楼2单元301房",
    "蚕花路 06 号 01 幢 2 单元 0301 室",
    "蚕花路6号1幢2单元301",
    "蚕花路6—1—2—301室",
    "蚕花路6号，1棟，2單元，301號室",
    "蚕花路6号院1#楼2门301",
    "蚕花路六号壹幢二单元三百零一室",
    "朝阳街道桑园社区蚕花路6号1幢2单元301室",
    "浙江省湖州市吴兴区朝阳街道桑园社区蚕花路6号1幢2单元301室",
]


@pytest.mark.parametrize("text", WAYS)
def test_one_flat_is_known_however_it_is_written(text: str) -> None:
    assert key(parse(text)) == key(FLAT)
    assert writing(parse(text)) == "蚕花路6号1幢2单元301室"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("和平里东街十八号", Parts("和平里东街", "18")),
        ("蚕花路6弄3号201室", Parts("蚕花路6弄", "3", room="201")),
        ("蚕花路六弄3号201室", Parts("蚕花路6弄", "3", room="201")),
        ("浙江省湖州市吴兴区桑园新村１号楼2单元301", Parts("桑园新村", "", "1", "2", room="301")),
        ("三里河二区18号", Parts("三里河二区", "18")),
        ("五一路6号", Parts("五一路", "6")),
        ("318国道6号", Parts("318国道", "6")),
        ("大都市花园路6号", Parts("大都市花园路", "6")),
        ("北京市东城区景山路6号附1号", Parts("景山路", "6-1")),
        ("蚕花路6号之一", Parts("蚕花路", "6-1")),
        ("蚕花路甲6号A座1201", Parts("蚕花路", "甲6", "A", room="1201")),
        ("蚕花路6号1幢3层", Parts("蚕花路", "6", "1", floor="3")),
        ("蚕花路6号3层301", Parts("蚕花路", "6", floor="3", room="301")),
        ("蚕花路6号1楼301室", Parts("蚕花路", "6", "1", room="301")),  # 301 is on no first floor
        ("蚕花路一百零八号", Parts("蚕花路", "108")),
    ],
)
def test_every_part_is_found(text: str, parts: Parts) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize(
    ("text", "part", "read"),
    [
        ("", "street", Parts("")),
        ("6号", "street", Parts("")),
        ("八" * 300, "street", Parts("")),
        ("蚕花路", "number", Parts("蚕花路")),
        ("桑园小白楼", "number", Parts("桑园小白楼")),
        ("桑园新村6", "number", Parts("桑园新村")),
        ("蚕花路6-301", "number", Parts("蚕花路")),
        ("蚕花路6号1-301", "building", Parts("蚕花路", "6")),
        ("蚕花路6号3楼", "building", Parts("蚕花路", "6")),
        ("蚕花路6号3楼301室", "building", Parts("蚕花路", "6")),
        ("蚕花路6号1幢2-3-301", "unit", Parts("蚕花路", "6", "1")),
        ("蚕花路6号1幢2单元3-301", "room", Parts("蚕花路", "6", "1", "2")),
        ("蚕花路6号后门", "room", Parts("蚕花路", "6")),
        ("中山路朝东六号", "street", Parts("")),
    ],
)
def test_what_reads_in_two_ways_says_which_part_does(text: str, part: str, read: Parts) -> None:
    with pytest.raises(Unclear) as told:
        parse(text)
    assert (told.value.field, told.value.read) == (part, read)
    assert str(told.value) == f"{part} {WORDS[told.value.why].en}"
    assert spelling(text) == folded(text)  # as a name it may still be known


def test_fields_of_their_own_are_normalised_in_the_same_way() -> None:
    raw = Parts("蠶桑路六弄".replace("蠶", "蚕"), "６號", "1栋", "二单元", "三楼", "三〇一室")
    assert normalised(raw) == Parts("蚕桑路6弄", "6", "1", "2", "3", "301")
    names = {"building": "裙楼", "room": "门卫室", "floor": "夹层", "unit": "东单元"}
    assert {name: part(name, text) for name, text in names.items()} == names
    assert key(normalised(raw)) == key(parse("蚕桑路6弄6号1幢2-301"))


def test_a_floor_that_the_room_tells_is_left_out_and_another_is_not() -> None:
    on_third = Parts("蚕花路", "6", "1", "2", "3", "301")
    assert key(on_third) == key(FLAT)
    assert key(Parts("蚕花路", "6", "1", "2", "2", "1")) != key(Parts("蚕花路", "6", "1", "2", "3", "1"))
    assert writing(Parts("蚕花路", "6", floor="2", room="1")) == "蚕花路6号2层1室"


@given(st.integers(1, 9999))
def test_a_number_reads_back_from_every_writing(value: int) -> None:
    for text in writings(value):
        assert arabic(text) == str(value)
    assert arabic("".join("〇一二三四五六七八九"[int(it)] for it in str(value))) == str(value)


@pytest.mark.parametrize("text", ["二百五", "三十〇", "十十", "百", "二十二十", "", "路"])
def test_what_is_no_certain_number_is_none(text: str) -> None:
    assert arabic(text) is None


streets = st.sampled_from(["蚕花路", "和平里东街", "八一路", "桑园路", "蚕花路6弄", "书院巷", "石桥路", "经三路"])
numbers = st.integers(1, 250)
rooms = st.tuples(st.integers(1, 33), st.integers(1, 12)).map(lambda it: f"{it[0]}{it[1]:02}")
missing = st.just("")


@st.composite
def places(draw: st.DrawFn) -> Parts:
    """Addresses: houses, shops, buildings, flats."""
    building = draw(missing | numbers.map(str))
    unit = draw(missing | numbers.map(str)) if building else ""
    return Parts(draw(streets), str(draw(numbers)), building, unit, "", draw(missing | rooms))


@st.composite
def ways(draw: st.DrawFn, place: Parts) -> str:
    """A way of writing it."""

    def number(text: str) -> str:
        chinese = ["".join("〇一二三四五六七八九"[int(it)] for it in text), *writings(int(text))]
        wide = "".join(chr(ord(it) + 0xFEE0) for it in text)
        return draw(st.sampled_from([text, "0" + text, wide, *chinese]))

    def marked(text: str, *marks: str) -> str:
        return number(text) + draw(st.sampled_from(marks)) if text else ""

    hyphen = draw(st.sampled_from("-—－–~"))
    division = draw(st.sampled_from(["", "浙江省湖州市吴兴区", "湖州市吴兴区朝阳街道桑园社区", "朝阳街道"]))
    if all((place.building, place.unit, place.room)) and draw(st.booleans()):
        short = hyphen.join([place.building, place.unit, place.room])
        text = place.street + draw(st.sampled_from([f"{place.number}{hyphen}{short}", f"{place.number}号{short}"]))
    else:
        floor = marked(place.room[:-2], "层", "楼") if place.room and place.building and draw(st.booleans()) else ""
        text = place.street + marked(place.number, "号", "號", "号院")
        text += (
            marked(place.building, "幢", "栋", "棟", "号楼", "座") + marked(place.unit, "单元", "單元", "门") + floor
        )
        text += marked(place.room, "室", "房", "号室")
    return draw(st.sampled_from(["", " "])).join(f"{division}{text}")


@given(st.data())
def test_every_way_of_writing_an_address_gives_its_key(data: st.DataObject) -> None:
    place = data.draw(places())
    text = data.draw(ways(place))
    assert key(parse(text)) == key(place), text


@given(st.data())
def test_different_addresses_never_share_a_key(data: st.DataObject) -> None:
    one, other = data.draw(places()), data.draw(places())
    written, another = data.draw(ways(one)), data.draw(ways(other))
    assert (key(parse(written)) == key(parse(another))) == (one == other)


@given(places())
def test_what_is_read_and_written_again_stays(place: Parts) -> None:
    again = parse(writing(place))
    assert writing(again) == writing(place)
    assert normalised(again) == again


@given(st.text(alphabet="蚕花路街弄6１一〇十2-号號幢楼单元门层室房院附#A甲 ，", max_size=30))
def test_whatever_is_written_is_read_in_one_stable_way_or_told_to_be_unclear(text: str) -> None:
    with suppress(Unclear):
        read = parse(text)
        assert key(parse(writing(read))) == key(read)

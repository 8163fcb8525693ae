"""Pages are cut by sort keys: nothing twice, nothing left out, and a cursor that is none is refused."""

import base64
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from edge import HttpProblem, Page, decode_cursor, encode_cursor
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=50)


@given(
    texts,
    st.integers(-(2**63), 2**63 - 1),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.none() | st.integers(0, 9),
)
def test_a_cursor_gives_back_what_was_put_in(
    text: str, number: int, at: datetime, day: date, maybe: int | None
) -> None:
    cursor = encode_cursor(text, number, at, day, maybe)
    assert decode_cursor(cursor, str, int, datetime, date, int | None) == (text, number, at, day, maybe)


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        decode_cursor(text, str, datetime)
    assert refused.value.reason == "cursor-malformed"


@pytest.mark.parametrize(
    ("values", "types"),
    [
        (("a",), (str, str)),
        (("a", "b"), (str,)),
        (("a\0",), (str,)),
        ((2**63,), (int,)),
        (("x",), (int,)),
        (("x",), (datetime,)),
    ],
)
def test_a_cursor_of_another_list_is_refused(values: tuple[Any, ...], types: tuple[Any, ...]) -> None:
    with pytest.raises(HttpProblem):
        decode_cursor(encode_cursor(*values), *types)


def test_the_last_page_has_no_next() -> None:
    assert Page[int].of([1, 2, 3], 3, lambda n: (n,)) == Page[int](items=[1, 2, 3], next=None)
    page = Page[int].of([1, 2, 3], 2, lambda n: (n,))
    assert page.items == [1, 2]
    assert page.next is not None
    assert decode_cursor(page.next, int) == (2,)


async def test_page_after_page_shows_everything_once(http: httpx2.AsyncClient) -> None:
    made = ""
    for n in range(7):
        response = await http.post("/suggestions", json={"text": str(n)}, headers={"Idempotency-Key": str(n)})
        made = response.headers["consistency-token"]
    seen: list[str] = []
    pages, cursor = 0, None
    while pages == 0 or cursor:
        page = await http.get(
            "/suggestions",
            params={"limit": 3} | ({"cursor": cursor} if cursor else {}),
            headers={"Consistency-Token": made},
        )
        seen += [row["id"] for row in page.json()["items"]]
        pages, cursor = pages + 1, page.json()["next"]
    assert pages == 3
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30])
async def test_a_page_has_a_sensible_length(http: httpx2.AsyncClient, limit: int) -> None:
    response = await http.get("/suggestions", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "limit"

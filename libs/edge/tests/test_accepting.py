"""What a caller would rather have: by q-values, and English where nothing else is wanted."""

import pytest
from edge.accepting import language_of, media_type_of
from edge.problems import HttpProblem


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH-hant-TW", "zh"),
        ("en;q=0.5, zh;q=0.7", "zh"),
        ("zh;q=0.5, en", "en"),
        ("zh;q=0", "en"),
        ("fr, zh;q=0.1", "zh"),
        ("fr, *;q=0.5, zh;q=0.1", "en"),
        ("zh;q=much", "en"),
    ],
)
def test_the_language_is_the_one_that_is_wanted_most(header: str | None, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, "application/x-ndjson"),
        ("*/*", "application/x-ndjson"),
        ("text/csv", "text/csv"),
        ("application/x-ndjson;q=0.5, text/csv", "text/csv"),
        ("text/csv;q=0.1, */*", "application/x-ndjson"),
        ("image/png", "application/x-ndjson"),
    ],
)
def test_the_kind_is_the_one_that_is_wanted_most_of_those_that_are_offered(header: str | None, kind: str) -> None:
    assert media_type_of(header, ("application/x-ndjson", "text/csv")) == kind


def test_a_problem_that_can_be_said_in_chinese_is() -> None:
    wrong = [{"place": "body", "field": "a", "message": "it is wrong", "message_zh": "有误"}, {"message": "only so"}]
    problem = HttpProblem("invalid-input", "it is wrong", message_zh="有误", errors=wrong)
    in_chinese = problem.response("zh")
    assert in_chinese.headers["content-language"] == "zh"
    assert '"detail":"有误"' in bytes(in_chinese.body).decode()
    assert '"message":"有误"' in bytes(in_chinese.body).decode()
    assert '"message":"only so"' in bytes(in_chinese.body).decode()
    in_english = problem.response("en")
    assert "content-language" not in in_english.headers
    assert '"detail":"it is wrong"' in bytes(in_english.body).decode()
    assert '"message":"it is wrong"}' in bytes(in_english.body).decode()


def test_a_problem_that_cannot_is_said_in_english() -> None:
    answer = HttpProblem("not-found", "there is no grid 7").response("zh")
    assert "content-language" not in answer.headers
    assert "there is no grid 7" in bytes(answer.body).decode()

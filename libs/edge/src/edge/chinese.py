"""What is wrong with a field, in Chinese: for the kinds of errors that Pydantic finds in requests."""

from collections.abc import Mapping
from typing import Any

WORDS: Mapping[str, str] = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "string_type": "应为文本",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "格式应为 {pattern}",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "enum": "应为以下之一：{expected}",
    "literal_error": "应为以下之一：{expected}",
    "list_type": "应为数组",
    "tuple_type": "应为数组",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "date_type": "应为日期，如 2026-11-23",
    "date_parsing": "应为日期，如 2026-11-23",
    "date_from_datetime_parsing": "应为日期，如 2026-11-23",
    "datetime_type": "应为日期和时间，如 2026-11-23T08:30:00+08:00",
    "datetime_parsing": "应为日期和时间，如 2026-11-23T08:30:00+08:00",
    "datetime_from_date_parsing": "应为日期和时间，如 2026-11-23T08:30:00+08:00",
    "timezone_aware": "时间应带时区，如 2026-11-23T08:30:00+08:00",
    "uuid_parsing": "应为 UUID",
    "json_invalid": "不是有效的 JSON",
}
"""By Pydantic's type of the error; what stands in braces is its context, which holds nothing that was sent."""


def in_chinese(kind: str, context: Mapping[str, Any]) -> str | None:
    """What would be right; None if there are no words for it."""
    try:
        return WORDS[kind].format(**context)
    except KeyError:
        return None

"""What can be wrong with an entry, in words for the people who keep the registers.

A fault names the field and the reason, never the value: values are personal.
"""

from enum import StrEnum
from typing import Any

from contracts.common import Title
from events import Refused


class Why(StrEnum):
    """Stable codes, for programs."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    ENCODING = "encoding"
    QUOTES = "quotes"
    COLUMNS = "columns"
    DUPLICATE = "duplicate"
    ERASED = "erased"
    CODE = "code"
    REFERENCE = "reference"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_DATE = "not_a_date"
    NUMERIC_CELL = "numeric_cell"
    UNKNOWN_CHOICE = "unknown_choice"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_POST = "unknown_post"
    UNKNOWN_ADDRESS = "unknown_address"
    UNKNOWN_HOUSEHOLD = "unknown_household"
    UNKNOWN_GRID = "unknown_grid"
    ONE_HEAD = "one_head"
    NOT_OF_THIS_HOUSEHOLD = "not_of_this_household"
    NOT_A_POWER = "not_a_power"
    BEYOND_THEM = "beyond_them"
    NOT_A_FIELD = "not_a_field"
    NOT_A_RULE = "not_a_rule"
    NO_QUOTA = "no_quota"
    NOT_TO_FOLLOW = "not_to_follow"
    DIVISION_CODE = "division_code"
    COORDINATES = "coordinates"
    IDENTITY_NUMBER = "identity_number"
    DOCUMENT_NUMBER = "document_number"
    HOURS = "hours"
    BEFORE_BIRTH = "before_birth"
    IN_FUTURE = "in_future"
    CREDIT_CODE = "credit_code"
    CHECKSUM = "checksum"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    PHONE = "phone"
    EMAIL = "email"
    NOT_A_POLYGON = "not_a_polygon"
    OPEN_RING = "open_ring"
    TOO_FEW_CORNERS = "too_few_corners"
    TOO_MANY_CORNERS = "too_many_corners"
    SELF_CROSSING = "self_crossing"
    OVERLAP = "overlap"
    GAP = "gap"
    NOT_AN_OBJECT = "not_an_object"
    NESTED = "nested"
    UNCLEAR = "unclear"
    SAME_ADDRESS = "same_address"
    AMBIGUOUS_ADDRESS = "ambiguous_address"
    SAME_STREET = "same_street"


WORDS: dict[Why, Title] = {
    Why.MISSING: Title(zh="必填，不能为空", en="must be filled in"),
    Why.TOO_LONG: Title(zh="内容过长", en="is too long"),
    Why.NOT_TEXT: Title(zh="含有不可见的控制字符", en="holds control characters"),
    Why.ENCODING: Title(
        zh="本行编码有误，请将整个文件另存为 UTF-8",
        en="cannot be read in the file's encoding: save the whole file as UTF-8",
    ),
    Why.QUOTES: Title(
        zh="引号不成对：单元格内的引号须写成两个",
        en="has a quotation mark without its partner: inside a cell, write it twice",
    ),
    Why.COLUMNS: Title(zh="单元格数与表头不一致", en="has another number of cells than the head of the table"),
    Why.ERASED: Title(zh="此人的信息已依法删除，不能再登记", en="was erased, and cannot be entered again"),
    Why.DUPLICATE: Title(zh="同一编号在本文件中已出现过", en="stands in this file before, with the same reference"),
    Why.CODE: Title(
        zh="只能含文字、数字、点、横线和下划线，至多 64 个字符",
        en="may hold letters, digits, dots, hyphens and underscores, at most 64 of them",
    ),
    Why.REFERENCE: Title(
        zh="编号不得使用公民身份号码",
        en="must not be an identity number: give people references of their own",
    ),
    Why.NOT_A_NUMBER: Title(zh="应为阿拉伯数字", en="must be a number, in digits"),
    Why.OUT_OF_RANGE: Title(zh="数值超出合理范围", en="is a number out of any sensible range"),
    Why.NOT_A_DATE: Title(
        zh="应为真实的公历日期，年份四位、写到日，如 2026-11-23 或 2026年11月23日",
        en="must be a date of the calendar, with a year of four digits, month and day, such as 2026-11-23",
    ),
    Why.NUMERIC_CELL: Title(
        zh="电子表格把它存成了数字，位数已丢失：请将该列设为文本格式后重新填写",
        en="was kept as a number by the spreadsheet, which loses digits: format the column as text and enter it again",
    ),
    Why.UNKNOWN_CHOICE: Title(zh="不是可选的值", en="is none of the values to choose from"),
    Why.UNKNOWN_CATEGORY: Title(zh="没有这种单位类别", en="is no known category of units"),
    Why.UNKNOWN_POST: Title(zh="没有这种岗位", en="is no known post"),
    Why.UNKNOWN_ADDRESS: Title(zh="标准地址未登记", en="is an address that is not registered"),
    Why.UNKNOWN_HOUSEHOLD: Title(zh="户未登记", en="is a household that is not registered"),
    Why.NOT_A_POWER: Title(
        zh="不符合权力清单条目的格式：见 contracts/schemas 中的 power.listed",
        en="is not what an entry of the power list needs: see power.listed in contracts/schemas",
    ),
    Why.BEYOND_THEM: Title(
        zh="任何人和对接系统的权力不分网格：范围应为 all",
        en="must have the scope all: anyone and partner systems look after no grid",
    ),
    Why.NOT_A_FIELD: Title(zh="不是该登记簿的字段", en="is no field of this register"),
    Why.NOT_A_RULE: Title(
        zh="应为 newest（以最新为准）、ask（由人裁定）或按可信程度排列的来源",
        en="must be newest, ask, or sources in the order in which they are trusted, each once",
    ),
    Why.NO_QUOTA: Title(zh="只有对接系统才有配额", en="must have no quota: only partner systems have one"),
    Why.NOT_TO_FOLLOW: Title(
        zh="事件主题只能开放给对接系统",
        en="must be partner systems: topics are followed by nobody else",
    ),
    Why.ONE_HEAD: Title(zh="新户须有且只有一名户主", en="must name one head of the new household"),
    Why.NOT_OF_THIS_HOUSEHOLD: Title(zh="含有不属于本户的人", en="names people who do not belong to this household"),
    Why.UNKNOWN_GRID: Title(zh="网格未登记", en="is a grid that is not registered"),
    Why.DIVISION_CODE: Title(
        zh="应为到社区一级的 12 位区划代码（GB/T 2260 与统计用区划代码）",
        en="must be the 12-digit division code down to the community (GB/T 2260 and the statistical code)",
    ),
    Why.COORDINATES: Title(
        zh="不在中国范围内：经度和纬度是否填反？",
        en="lies outside China: are longitude and latitude exchanged?",
    ),
    Why.IDENTITY_NUMBER: Title(
        zh="公民身份号码应为 18 位：17 位数字和一位校验码（GB 11643）",
        en="must have 18 characters: 17 digits and the check character (GB 11643)",
    ),
    Why.DOCUMENT_NUMBER: Title(
        zh="不是该类证件的号码：请核对证件类型和号码",
        en="is no number of this kind of document: check which document it is, and the number",
    ),
    Why.HOURS: Title(
        zh="时间应如 1-5 18:00-21:00; 6-7 09:00-21:00（1 为星期一）",
        en="must be like 1-5 18:00-21:00; 6-7 09:00-21:00, Monday being 1",
    ),
    Why.IN_FUTURE: Title(zh="日期未到：请在当天或之后登记", en="is a day to come: enter it when it is there"),
    Why.BEFORE_BIRTH: Title(zh="早于出生日期", en="is before the date of birth"),
    Why.CREDIT_CODE: Title(
        zh="统一社会信用代码应为 18 位，不含 I、O、S、V、Z（GB 32100）",
        en="must have 18 digits and capitals, without I, O, S, V and Z (GB 32100)",
    ),
    Why.CHECKSUM: Title(
        zh="校验码不符，请核对是否抄错", en="does not agree with its check character: a digit is miscopied"
    ),
    Why.BIRTH_DATE: Title(
        zh="出生日期与身份号码不一致", en="does not agree with the date of birth in the identity number"
    ),
    Why.SEX: Title(zh="性别与身份号码不一致", en="does not agree with the sex in the identity number"),
    Why.PHONE: Title(
        zh="应为 11 位手机号码或带区号的固定电话",
        en="must be a mobile number of 11 digits, or a land line with its area code",
    ),
    Why.EMAIL: Title(zh="应为电子邮箱地址", en="must be an e-mail address"),
    Why.NOT_A_POLYGON: Title(
        zh="应为不带洞的单个多边形（GeoJSON Polygon）", en="must be one polygon without holes (GeoJSON Polygon)"
    ),
    Why.OPEN_RING: Title(zh="边界未闭合：末点须与首点相同", en="is not closed: its last point must be its first"),
    Why.TOO_FEW_CORNERS: Title(zh="边界至少要有三个角", en="needs three corners at least"),
    Why.TOO_MANY_CORNERS: Title(zh="边界至多 2000 个角", en="has more than 2,000 corners"),
    Why.SELF_CROSSING: Title(zh="边界自相交", en="crosses or touches itself"),
    Why.OVERLAP: Title(zh="与另一网格重叠：见 where", en="overlaps another grid: see where"),
    Why.GAP: Title(
        zh="这样划分会留下无人管理的空白：见 where；确需留空，请加 gaps=allowed",
        en="leaves ground that nobody looks after: see where; if that is meant, say gaps=allowed",
    ),
    Why.NOT_AN_OBJECT: Title(zh="应为 JSON 对象，以列名为键", en="must be a JSON object, with the columns as keys"),
    Why.NESTED: Title(
        zh="含有嵌套的对象或数组：每列应为文本、数字、布尔值或 null",
        en="has an object or a list in it: each column is a text, a number, true, false or null",
    ),
    Why.UNCLEAR: Title(
        zh="无法确定含义，请写全，如：蚕花路6号1幢2单元301室",
        en="cannot be read with certainty: write it out, like 蚕花路6号1幢2单元301室",
    ),
    Why.SAME_ADDRESS: Title(
        zh="与另一编号的标准地址为同一处", en="is the place of an address that has another reference"
    ),
    Why.AMBIGUOUS_ADDRESS: Title(
        zh="对应多个标准地址，请填写 address_ref 或区划代码",
        en="is the name of several addresses: give address_ref or division_code",
    ),
    Why.SAME_STREET: Title(zh="新旧街路名称相同", en="is the name that the street has already"),
}


class Fault(Refused):
    """An entry is not right: `field` is the one to look at."""

    reason = "wrong-entry"

    def __init__(self, field: str, why: Why, **more: Any) -> None:
        """`more` is told beside: pseudonymous ids, and as `where` a GeoJSON geometry of what is wrong with ground."""
        super().__init__(f"{field} {WORDS[why].en}", field=field, why=why.value, message_zh=WORDS[why].zh, **more)
        self.field = field
        self.why = why
        self.more = more

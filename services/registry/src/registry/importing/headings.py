"""What Chinese forms call our columns, and what they write into them: understood without any mapping.

The first heading of a column is the one in the form that we hand out.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping

Words = Mapping[str, str]
"""Column, and its headings with spaces between."""

AT = {"address_ref": "地址编码 地址编号 标准地址编码 标准地址编号 标准地址代码"}
OF_HOUSEHOLD = {"household_ref": "户编号 户号 家庭编号 户籍编号 户口编号"}
PHONE = {"phone": "联系电话 手机 手机号 手机号码 电话 电话号码 联系方式"}
SINCE = {"since": "起始日期 起始日 变动日期 入住日期 迁入日期 发生日期"}

HEADINGS: Mapping[str, Words] = {
    "addresses": AT
    | {
        "division_code": "区划代码 行政区划代码 社区代码 社区编码 统计用区划代码",
        "street": "街路巷 街路巷名称 道路 道路名称 街道路巷 路名",
        "number": "门牌号 门牌 门牌号码 号",
        "building": "幢 幢号 楼 楼栋 楼栋号 楼号 栋 栋号",
        "unit": "单元 单元号",
        "floor": "楼层 层 层号 所在楼层",
        "room": "室 室号 房号 房间号 房间",
        "longitude": "经度",
        "latitude": "纬度",
    }
    | SINCE,
    "buildings": AT
    | {
        "building_ref": "楼栋编号 房屋编号 建筑物编号 建筑编号 楼栋编码 房屋编码",
        "name": "楼栋名称 房屋名称 建筑物名称 建筑名称 名称",
        "kind": "楼栋类别 房屋类别 建筑物类别 房屋用途 用途 类别",
        "floors": "层数 总层数 楼层数",
        "built_year": "建成年份 建成年代 竣工年份 建造年份",
        "rooms": "房间数 室数 间数",
        "beds": "床位数",
        "tenure": "使用情况 房屋用途情况 居住情况 自住或出租",
        "tenants": "承租人数 租住人数",
    }
    | SINCE,
    "households": OF_HOUSEHOLD | AT | {"dissolved": "已销户 销户"} | SINCE,
    "people": OF_HOUSEHOLD
    | AT
    | PHONE
    | {
        "person_ref": "人员编号 人口编号 人员编码 人口编码",
        "name": "姓名",
        "id_number": "公民身份号码 身份证号 身份证号码 公民身份证号码 居民身份证号码 身份证件号码 证件号码",
        "sex": "性别",
        "birth_date": "出生日期 出生年月日 生日",
        "residency": "人员类别 居住类型 人口类别 人口类型 人员类型 居住类别",
        "relation": "与户主关系 与户主的关系 户主关系",
        "registered_until": "登记有效期至 居住登记有效期至 居住证有效期至 有效期至 有效期止",
        "document": "证件类型 证件种类 身份证件类型",
        "presence": "在住状态 居住状态 人员状态",
        "home_hours": "在家时间 便于上门时间",
        "no_contact": "不愿被联系 请勿联系",
    }
    | SINCE,
    "units": AT
    | PHONE
    | {
        "unit_ref": "单位编号 单位编码 场所编号",
        "name": "单位名称 场所名称 名称",
        "category": "单位类别 单位类型 类别 场所类别 场所类型",
        "credit_code": "统一社会信用代码 社会信用代码 信用代码",
        "licence": "许可证号 许可证编号 特种行业许可证号",
        "licence_until": "许可证有效期至 许可证有效期",
        "person_in_charge": "负责人 法定代表人 经营者",
        "staff": "从业人数 员工人数 职工人数",
        "beds": "床位数",
        "fire_check_due": "消防检查到期日 下次消防检查",
        "safety_check_due": "安全检查到期日 下次安全检查",
        "closed": "已停业 已注销 停业",
    }
    | SINCE,
    "roster": PHONE
    | {
        "member_ref": "人员编号 工号 人员编码",
        "name": "姓名",
        "post": "岗位 职务",
        "grid_code": "网格编号 网格编码 网格 所属网格",
        "division_code": "区划代码 行政区划代码 社区代码",
        "email": "电子邮箱 邮箱 电子邮件",
        "further_posts": "兼任岗位 兼任职务",
        "further_grids": "兼管网格",
        "hours": "在岗时间 值班时间",
        "skills": "技能 特长",
        "training": "培训",
        "on_leave_since": "休假开始",
        "on_leave_until": "休假结束",
        "body": "所属单位 派出单位",
        "team": "所在团队 合室办公",
    },
    "duties": {
        "category": "类别编码 事项编码 类别代码 事项代码",
        "title_zh": "事项名称 名称",
        "title_en": "事项名称（英文） 英文名称",
        "department_zh": "责任部门 主管部门",
        "department_en": "责任部门（英文）",
        "grid_duty": "是否网格事项 网格事项 是否网格职责",
        "deadline_minutes": "办理时限（分钟） 时限（分钟） 办理时限",
        "standard_zh": "办结标准 标准",
        "standard_en": "办结标准（英文）",
        "legal_basis": "法律依据 依据",
        "clock": "计时方式",
        "role": "办理岗位",
        "skills": "所需技能 技能要求",
        "photos": "证据份数 照片数",
        "weight": "工作量权重 权重",
        "look_percent": "抽查比例 抽查比例（%）",
        "urgent": "是否紧急 紧急",
        "rule": "到期未办上报 到期规则",
    },
}
"""By register."""

SEX = {
    "男": "1",
    "女": "2",
    "男性": "1",
    "女性": "2",
    "未知": "0",
    "未知的性别": "0",
    "未说明": "9",
    "未说明的性别": "9",
}
RESIDENCY = {
    "permanent": "常住 常住人口 常住人员 户籍 户籍人口",
    "floating": "流动 流动人口 流动人员 暂住 暂住人口 寄住",
    "registered_elsewhere": "人户分离 空挂户",
    "visitor": "访客 探亲",
}
DOCUMENT = {
    "identity_card": "居民身份证 身份证 二代身份证",
    "passport": "护照 外国护照",
    "hk_macao_permit": "港澳居民来往内地通行证 回乡证",
    "taiwan_permit": "台湾居民来往大陆通行证 台胞证",
    "residence_permit": "港澳台居民居住证",
    "foreign_resident_card": "外国人永久居留身份证 外国人永久居留证",
    "none": "无 无证件",
}
PRESENCE = {"here": "在住 实有 在册", "moved_out": "迁出 搬离 离开", "died": "死亡 已故"}
TENURE = {"owned": "自住", "let": "出租 租赁", "empty": "空置 空房"}
RELATION = {
    "head": "户主 本人 本人或户主",
    "spouse": "配偶 夫 妻 丈夫 妻子",
    "child": "子女 子 女 儿子 女儿 独生子 独生女 长子 次子 三子 长女 次女 三女 养子 养女",
    "parent": "父母 父 母 父亲 母亲",
    "other": "其他 其它 其他亲属 非亲属 孙子 孙女 孙子女 祖父母 外祖父母 兄弟姐妹 岳父 岳母 公公 婆婆 儿媳 女婿",
}
CATEGORY = {
    "shop": "商店 店铺 商铺 商户 小商店 超市",
    "hotel": "旅馆 宾馆 酒店 旅店 旅馆业",
    "chess_room": "棋牌室",
    "foot_bath": "足浴店 足浴 足浴场所 足疗店",
    "company": "公司 企业",
    "school": "学校 幼儿园",
}
POST = {
    "grid_instructor": "网格指导员",
    "grid_leader": "网格长",
    "grid_worker": "网格员 专职网格员",
    "community_officer": "社区民警",
    "auxiliary": "协警 辅警",
    "registrar": "登记员",
    "deputy_secretary": "副书记 社区副书记",
    "department_liaison": "部门联络员",
    "partner_organisation": "红色联盟单位",
    "volunteer_patrol": "义务巡逻队员 平安志愿者",
    "informant": "信息员",
    "security_guard": "保安 保安员",
    "building_head": "楼道长 楼长",
    "resident_activist": "居民骨干",
}
KIND = {
    "residential": "住宅 住宅楼 居民楼",
    "park": "公园",
    "maternity_hospital": "妇产医院 妇产科医院 妇幼保健院",
    "elderly_centre": "养老院 敬老院 养老中心 老年活动中心",
    "youth_centre": "青少年中心 青少年宫 青少年活动中心",
}
CLOCKS = {"clock_hours": "自然时 自然日", "working_hours": "工作时 工作日"}
RULES = {
    "registration": "流动人口登记到期 居住登记到期",
    "licence": "许可证到期",
    "fire_check": "消防检查到期",
    "safety_check": "安全检查到期",
    "revisit": "久未核实",
}
YES_NO = {"yes": "是 有 true", "no": "否 无 false"}


def _by_word(words: Words) -> dict[str, str]:
    return {word: value for value, many in words.items() for word in many.split()}


VALUES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("people", "sex"): SEX,
    ("people", "residency"): _by_word(RESIDENCY),
    ("people", "relation"): _by_word(RELATION),
    ("people", "document"): _by_word(DOCUMENT),
    ("people", "presence"): _by_word(PRESENCE),
    ("people", "no_contact"): _by_word(YES_NO),
    ("buildings", "tenure"): _by_word(TENURE),
    ("households", "dissolved"): _by_word(YES_NO),
    ("units", "closed"): _by_word(YES_NO),
    ("units", "category"): _by_word(CATEGORY),
    ("roster", "post"): _by_word(POST),
    ("buildings", "kind"): _by_word(KIND),
    ("duties", "grid_duty"): _by_word(YES_NO),
    ("duties", "urgent"): _by_word(YES_NO),
    ("duties", "clock"): _by_word(CLOCKS),
    ("duties", "rule"): _by_word(RULES),
}
"""By register and column: what is written, and what we call it."""


def _first_words(words: Mapping[str, str]) -> dict[str, str]:
    first: dict[str, str] = {}
    for word, value in words.items():
        first.setdefault(value, word)
    return first


WORDS_FOR: Mapping[str, Mapping[str, str]] = {column: _first_words(words) for (_, column), words in VALUES.items()}
"""By column: each value that we know, and the first word for it."""

NOTE = re.compile(r"\([^()]*\)$")


def heading(register: str, column: str) -> str:
    """What the form calls this column; its own name if it has no other."""
    return HEADINGS.get(register, {}).get(column, column).split()[0]


def meant(register: str, columns: Iterable[str]) -> dict[str, str]:
    """Which of our columns each of these headings means, as far as they are known; 手机* and 手 机（必填） too."""
    names = {
        name: column for column, many in HEADINGS.get(register, {}).items() for name in map(unmarked, many.split())
    }
    return {it: column for it in columns if (column := names.get(unmarked(it)) or names.get(_unnoted(it)))}


def unmarked(heading: str) -> str:
    """A heading without what only stands out: spaces, an asterisk, a colon, full width."""
    return "".join(unicodedata.normalize("NFKC", heading).split()).strip("*:").lower()


def _unnoted(heading: str) -> str:
    """The same, without what stands in brackets behind it."""
    return NOTE.sub("", unmarked(heading)).strip("*:")

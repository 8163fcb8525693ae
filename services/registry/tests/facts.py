"""A flat, the family in it, the chess room below, their grid and those who look after it."""

from datetime import date

from contracts.common import Place, Post, Residency, Title, UnitCategory
from contracts.registry import (
    AddressFacts,
    BuildingFacts,
    DutyFacts,
    HouseholdFacts,
    MapGrid,
    MemberFacts,
    PersonFacts,
    UnitFacts,
)

FLAT = AddressFacts(
    address="flat",
    division_code="990502001001",
    street="蚕花路",
    number="6",
    building="1",
    unit="1",
    floor="1",
    room="101",
    place=Place(longitude=120.09, latitude=30.87),
)
BLOCK = BuildingFacts(building="block", address="flat", name="桑园新村1幢", kind="residential", floors=6)
FAMILY = HouseholdFacts(household="tan", address="flat")
TAN = PersonFacts(
    person="tan-rui",
    name="谭瑞",
    id_number="990502196503154658",
    sex="1",
    birth_date=date(1965, 3, 15),
    residency=Residency.PERMANENT,
    household="tan",
    relation="head",
    address="flat",
)
SHOP = UnitFacts(
    unit="shop", name="万家棋牌室", category=UnitCategory.CHESS_ROOM, address="flat", credit_code="92990502MA9K4MJ71U"
)
SQUARE = [(120.0, 30.0), (120.001, 30.0), (120.001, 30.001), (120.0, 30.001), (120.0, 30.0)]
GROUND = MapGrid(grid="G1", title=Title(zh="桑园网格", en="Sangyuan grid"), boundary=SQUARE)
LI = MemberFacts(member="li", name="李伟", post=Post.GRID_WORKER, grid="G1", email="li@example.org")
LIGHT = DutyFacts(
    category="street_light_out",
    title=Title(zh="路灯不亮", en="Street light out"),
    department=Title(zh="综合行政执法局", en="Urban management bureau"),
    grid_duty=True,
    deadline_minutes=1440,
    legal_basis="《城市照明管理规定》",
)

"""An example of each published event, taken from the sample community.

They stand in the AsyncAPI documents, and the first golden sample of each type is made from them. The people are
invented; identity numbers carry a region prefix that does not exist.
"""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from contracts import assessment, grid_tasks, notifications, registry, visits
from contracts.common import (
    ErasureGround,
    Holder,
    HolderKind,
    Place,
    Post,
    Purpose,
    Residency,
    Scope,
    Title,
    UnitCategory,
)
from events import Event

CHINA = timezone(timedelta(hours=8))
SERVICES = (registry, grid_tasks, assessment, notifications)
CASE = "0199d1a06a5e7c3b9a573f2f5d1e8c11"
EVIDENCE = "0199d1a0740e7f21a60b1c9d3e5f7a92"
IMPORT = "0199d1a06a5e7c3b9a573f2f5d1e8c22"
NOTIFICATION = "6f1ed002ab5595859014ebf0951522d9"
HERE = Place(longitude=120.094489, latitude=30.873473)


VISIT = "4d5f1b0e9a3c5b7d8e2f6a1c0b9d7e35"


def at(hour: int, minute: int) -> datetime:
    """A moment of 24 November 2026 in China."""
    return datetime(2026, 11, 24, hour, minute, tzinfo=CHINA)


def but(facts: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The same facts, but for some."""
    return facts | other


ADDRESS: dict[str, Any] = {
    "address": "A01-1-101",
    "division_code": "990502001001",
    "street": "蚕花路",
    "number": "6",
    "building": "1",
    "unit": "1",
    "floor": "1",
    "room": "101",
    "place": HERE,
}
FORMERLY = registry.AddressName(name="新市路6号1幢1单元101室", kind=registry.NameKind.FORMER, until=date(2026, 11, 1))
SITE = visits.Site(name="蚕花路6号1幢", place=HERE)
VISITED: dict[str, Any] = {
    "visit": VISIT,
    "kind": visits.VisitKind.REGISTRATION,
    "of": "people",
    "thing": "P0001",
    "grid": "G1",
}
CAMPAIGN: dict[str, Any] = {
    "month": "2026-12",
    "campaign": "0199d1a06a5e7c3b9a573f2f5d1e8c44",
    "hours": 30,
    "sites": (SITE,),
    "first": date(2026, 12, 5),
    "last": date(2026, 12, 20),
}
BUILDING: dict[str, Any] = {
    "building": "B01",
    "address": "A01",
    "name": "桑园新村1幢",
    "kind": "residential",
    "floors": 6,
}
PERSON: dict[str, Any] = {
    "person": "P0001",
    "name": "谭瑞",
    "id_number": "990502196503154658",
    "sex": "1",
    "birth_date": date(1965, 3, 15),
    "household": "H0001",
    "relation": "head",
    "address": "A01-1-102",
}
UNIT: dict[str, Any] = {
    "unit": "U001",
    "name": "万家棋牌室",
    "category": UnitCategory.CHESS_ROOM,
    "address": "AF001",
    "credit_code": "92990502MA9K4MJ71U",
}
GRID: dict[str, Any] = {
    "grid": "G1",
    "boundary": [(120.093, 30.874), (120.093, 30.870), (120.098, 30.871), (120.097, 30.874), (120.093, 30.874)],
}
MEMBER: dict[str, Any] = {
    "member": "grid-worker-1",
    "name": "高坤",
    "post": Post.GRID_WORKER,
    "email": "grid-worker-1@example.org",
}
DUTY: dict[str, Any] = {
    "category": "neighbour_noise",
    "title": Title(zh="邻里噪声扰民", en="Noise from neighbours"),
    "department": Title(zh="公安局派出所", en="Police station"),
    "grid_duty": True,
    "standard": Title(zh="已上门劝阻或调解，噪声停止，反映人已获告知", en="It has stopped, and the reporter was told"),
    "legal_basis": "《噪声污染防治法》第七十条",
}
POWER: dict[str, Any] = {
    "power": "cases.verify",
    "title": Title(zh="核查案件", en="Verify cases"),
    "legal_basis": "GB/T 34300-2017",
    "holders": (Holder(kind=HolderKind.POST, name=Post.GRID_LEADER, scope=Scope.OWN_GRID),),
    "since": datetime(2026, 1, 1, tzinfo=CHINA),
}
METHOD = assessment.Method(
    anchor=5,
    weights=[
        assessment.Weight(indicator=assessment.Indicator.ON_TIME, points=40, average=0.8),
        assessment.Weight(indicator=assessment.Indicator.FIRST_ATTEMPT, points=35, average=0.8),
        assessment.Weight(indicator=assessment.Indicator.SATISFACTION, points=25, average=0.75),
    ],
)
SCORE = assessment.Score(
    worker="grid-worker-1",
    grid="G1",
    closed=10,
    on_time=0.9,
    first_attempt=0.8,
    ratings=4,
    satisfaction=0.875,
    by_indicator={
        assessment.Indicator.ON_TIME: 34.7,
        assessment.Indicator.FIRST_ATTEMPT: 28.0,
        assessment.Indicator.SATISFACTION: 20.1,
    },
    points=82.8,
    stars=4,
)
AUDIT: dict[str, Any] = {
    "audit": "0199d1a06a5e7c3b9a573f2f5d1e8c12",
    "actor": "grid-worker-1",
    "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
    "at": at(9, 30),
}
REFUSED: dict[str, Any] = {"power": "audit.read", "act": "GET /audit", "reason": "not-allowed", "status": 403}
DONE: dict[str, Any] = {"act": "events keys rotate"}
SUBSCRIPTION = "0199d1a0-7b1e-7c3b-9a57-3f2f5d1e8c12"
TOLD: dict[str, Any] = {"notification": NOTIFICATION, "channel": notifications.Channel.WEBHOOK}

EXAMPLES: tuple[Event, ...] = (
    registry.AddressRegistered(**ADDRESS),
    registry.AddressChanged(**ADDRESS, grid="G1", names=(FORMERLY,)),
    registry.AddressConfirmed(address="A01-1-101", source="land_office"),
    registry.AddressDisputed(**but(ADDRESS, room="102"), source="land_office", disputed=("room",)),
    registry.StreetRenamed(
        renaming="0199d1a06a5e7c3b9a573f2f5d1e8c13",
        division_code="990502001001",
        street="新市路",
        renamed="蚕花路",
        on=date(2026, 11, 1),
        by="registrar-1",
        at=at(9, 0),
    ),
    registry.BuildingRegistered(**BUILDING),
    registry.BuildingChanged(**BUILDING, built_year=1999),
    registry.BuildingConfirmed(building="B01", source="housing_office"),
    registry.BuildingDisputed(**but(BUILDING, floors=5), source="housing_office", disputed=("floors",)),
    registry.HouseholdRegistered(household="H0001", address="A01-1-101"),
    registry.HouseholdChanged(household="H0001", address="A01-1-102", since=date(2026, 11, 1)),
    registry.HouseholdConfirmed(household="H0001", source="police"),
    registry.HouseholdDisputed(household="H0001", address="A01-1-103", source="police", disputed=("address",)),
    registry.PersonRegistered(**PERSON, residency=Residency.PERMANENT),
    registry.PersonChanged(**PERSON, residency=Residency.FLOATING, registered_until=date(2027, 11, 23)),
    registry.PersonConfirmed(person="P0001", source="police"),
    registry.PersonDisputed(
        **but(PERSON, phone="15496301248"), residency=Residency.PERMANENT, source="police", disputed=("phone",)
    ),
    registry.PersonMerged(person="P0001", into="P0002", by="officer-1", at=at(10, 0)),
    registry.PersonUnmerged(person="P0001", apart_from="P0002", by="officer-1", at=at(11, 0)),
    registry.UnitRegistered(**UNIT),
    registry.UnitConfirmed(unit="U001", source="market_office"),
    registry.UnitDisputed(**but(UNIT, name="万家茶室"), source="market_office", disputed=("name",)),
    registry.UnitChanged(**UNIT, phone="+8615466732228"),
    registry.GridDrawn(**GRID, title=Title(zh="一号网格", en="Grid one")),
    registry.GridRedrawn(**GRID, title=Title(zh="桑园网格", en="Sangyuan grid")),
    registry.MapRedrawn(
        map="990502001001",
        drawn=(registry.MapGrid(**GRID, title=Title(zh="桑园网格", en="Sangyuan grid"), took_from=("G1", "G2")),),
        given_up=("G2",),
        since=date(2026, 12, 1),
    ),
    registry.SourceRulesSet(
        of="people", rules={"phone": "newest", "name": ("police", "file")}, by="registrar-1", at=at(9, 0)
    ),
    registry.SampleDrawn(
        sample="2026Q4-G1",
        period="2026Q4",
        grid="G1",
        persons=("P0001", "P0002"),
        seed=7,
        by="registrar-1",
        at=at(9, 0),
    ),
    registry.SampleAnswered(
        sample="2026Q4-G1", person="P0001", right=False, wrong=("phone",), by="officer-1", at=at(15, 0)
    ),
    registry.QualityMeasured(
        quality="2026-11-24-G1",
        grid="G1",
        day=date(2026, 11, 24),
        records=1320,
        complete=0.93,
        fresh=0.88,
        consistent=0.98,
        accurate=registry.Accuracy(rate=0.95, low=0.76, high=0.99, of=20),
        score=84.5,
    ),
    registry.DueNoticed(
        due="registration-P0001-2026-12-20",
        kind=registry.DueKind.REGISTRATION,
        of="people",
        thing="P0001",
        grid="G1",
        on=date(2026, 12, 20),
    ),
    registry.DuePassed(
        due="registration-P0001-2026-12-20",
        kind=registry.DueKind.REGISTRATION,
        of="people",
        thing="P0001",
        grid="G1",
        on=date(2026, 12, 20),
        at=datetime(2026, 12, 21, 0, 20, tzinfo=CHINA),
    ),
    registry.DueSettled(due="registration-P0001-2026-12-20", thing="P0001", at=at(9, 40)),
    registry.WhereaboutsTold(
        whereabouts="P0001",
        of="people",
        grid="G1",
        building="蚕花路6号1幢",
        place=HERE,
        home_hours="1-5 18:00-21:00; 6-7 09:00-21:00",
    ),
    registry.MemberAppointed(**MEMBER),
    registry.MemberChanged(**MEMBER, grid="G1", phone="+8615467293977"),
    registry.DutyListed(**DUTY, deadline_minutes=240),
    registry.DutyChanged(**DUTY, deadline_minutes=120),
    registry.PersonHeld(person="P0001", legal_basis="《刑事诉讼法》第一百四十一条", until=at(18, 0), at=at(9, 0)),
    registry.PersonReleased(person="P0001", at=at(10, 0)),
    registry.PersonErased(person="P0001", ground=ErasureGround.CONSENT_WITHDRAWN, at=at(11, 0)),
    registry.DisclosureMade(
        disclosure="0199aa00000070008000000000000001",
        person="P0001",
        fields=("name", "phone"),
        purpose="visit",
        by="grid-worker-1",
        trace="0af7651916cd43dd8448eb211c80319c",
        at=at(9, 0),
    ),
    registry.CorrectionAsked(
        correction="0199aa00000070008000000000000002",
        person="P0001",
        fields=("name", "phone"),
        name="谭睿",
        phone="15496301249",
        reason="户口簿上是“睿”字",
        by="resident_portal",
        client="resident_portal",
        at=at(9, 0),
    ),
    registry.CorrectionAccepted(
        correction="0199aa00000070008000000000000002", person="P0001", by="officer-1", at=at(10, 0)
    ),
    registry.CorrectionRefused(
        correction="0199aa00000070008000000000000002",
        person="P0001",
        reason="身份证上是“瑞”字",
        by="officer-1",
        at=at(10, 0),
    ),
    *(
        confirmed(person="P0001", parked=0, answers=1, timers=0, at=at(11, 0))
        for confirmed in (
            registry.ErasureConfirmed,
            grid_tasks.ErasureConfirmed,
            assessment.ErasureConfirmed,
            notifications.ErasureConfirmed,
        )
    ),
    registry.PowerListed(**POWER),
    registry.PowerChanged(**POWER, purposes=(Purpose(purpose="case_handling", fields=("name", "phone")),)),
    registry.PowerWithdrawn(power="cases.verify"),
    grid_tasks.CaseReported(
        case=CASE,
        category="neighbour_noise",
        description="楼上深夜装修，噪声很大",
        place=HERE,
        grid="G1",
        reporter_kind=grid_tasks.ReporterKind.RESIDENT,
        contact="resident@example.org",
        receipt_hash="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        at=at(9, 0),
    ),
    grid_tasks.CaseAccepted(case=CASE, category="neighbour_noise", grid="G1", deadline_minutes=120, at=at(9, 0)),
    grid_tasks.CaseDispatched(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        worker="grid-worker-1",
        due=at(11, 0),
        why="least open work in G1: 0 cases",
        at=at(9, 0),
    ),
    grid_tasks.CaseStarted(case=CASE, worker="grid-worker-1", at=at(9, 20)),
    grid_tasks.CaseHandedIn(
        case=CASE, worker="grid-worker-1", result="已上门劝阻", on_time=True, attempt=1, at=at(10, 10)
    ),
    grid_tasks.CaseSentBack(
        case=CASE,
        worker="grid-worker-1",
        verifier="grid-leader-1",
        reason="反映人尚未获告知",
        due=at(12, 30),
        at=at(10, 30),
    ),
    grid_tasks.CaseEscalated(case=CASE, grid="G1", worker="grid-worker-1", due=at(12, 30), at=at(12, 30)),
    grid_tasks.CasePlaced(case=CASE, grid="G1", by="registrar-1", at=at(8, 50)),
    grid_tasks.CasePlaceCorrected(
        case=CASE,
        place=Place(longitude=120.0949, latitude=30.8725),
        grid="G1",
        by="leader-1",
        reason="在三号楼，不在一号楼",
        at=at(9, 20),
    ),
    grid_tasks.CaseRefused(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        by="grid-leader-1",
        kind=grid_tasks.RefusalKind.ANOTHERS,
        reason="属城管部门职责",
        whose="综合行政执法局",
        at=at(9, 10),
    ),
    grid_tasks.CaseWithdrawn(case=CASE, category="neighbour_noise", grid="G1", at=at(9, 12)),
    grid_tasks.CaseMerged(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        into="0199d1a0-6a5e-7c3b-9a57-3f2f5d1e8c99",
        by="grid-leader-1",
        at=at(9, 13),
    ),
    grid_tasks.CaseTakenOver(
        case=CASE, grid="G1", worker="grid-worker-2", why="grid-worker-1 不再在岗 / no longer in post", at=at(9, 15)
    ),
    grid_tasks.CaseReturned(case=CASE, grid="G1", worker="grid-worker-1", reason="不在我网格", at=at(9, 15)),
    grid_tasks.CaseHandedOver(
        case=CASE,
        grid="G1",
        body="市场监督管理局",
        by="grid-leader-1",
        why="涉及经营证照",
        due=at(11, 15),
        at=at(9, 15),
    ),
    grid_tasks.CaseHelpAsked(
        case=CASE, grid="G1", lead="grid-worker-1", helpers=("auxiliary-1",), why="需两人到场", at=at(9, 25)
    ),
    grid_tasks.CaseHelpGiven(case=CASE, helper="auxiliary-1", done=True, words="已到场配合", at=at(9, 40)),
    grid_tasks.CaseTimeAsked(
        case=CASE, grid="G1", worker="grid-worker-1", minutes=60, reason="等候房东到场", at=at(9, 45)
    ),
    grid_tasks.CaseTimeGiven(
        case=CASE,
        grid="G1",
        worker="grid-worker-1",
        by="grid-leader-1",
        minutes=60,
        due=at(12, 15),
        warn_at=at(11, 30),
        at=at(9, 50),
    ),
    grid_tasks.CaseTimeRefused(
        case=CASE, worker="grid-worker-1", by="grid-leader-1", reason="可先行处置", at=at(9, 50)
    ),
    grid_tasks.CasePaused(
        case=CASE,
        grid="G1",
        worker="grid-worker-1",
        by="grid-leader-1",
        kind=grid_tasks.PauseKind.FOR_ANOTHER_BODY,
        reason="等待检测结果",
        until=at(15, 0),
        at=at(10, 0),
    ),
    grid_tasks.CaseAnswered(case=CASE, worker="grid-worker-1", words="声音来自三楼", at=at(10, 5)),
    grid_tasks.CaseResumed(
        case=CASE,
        grid="G1",
        worker="grid-worker-1",
        by="grid-leader-1",
        due=at(17, 15),
        warn_at=at(16, 30),
        at=at(15, 0),
    ),
    grid_tasks.CaseUrgencyChanged(
        case=CASE,
        grid="G1",
        worker="grid-worker-1",
        by="grid-leader-1",
        urgent=True,
        minutes=90,
        reason="屋内有独居老人",
        due=at(16, 45),
        warn_at=at(16, 20),
        at=at(15, 10),
    ),
    grid_tasks.CaseWarned(case=CASE, grid="G1", worker="grid-worker-1", due=at(16, 45), at=at(16, 20)),
    grid_tasks.CasePaperDone(case=CASE, worker="grid-worker-1", words="处置经过", at=at(16, 40)),
    grid_tasks.CaseLookAsked(
        case=CASE, grid="G1", worker="grid-worker-1", verifier="grid-leader-1", due=at(20, 0), at=at(17, 0)
    ),
    grid_tasks.CaseLooked(
        case=CASE,
        grid="G1",
        worker="grid-worker-1",
        verifier="grid-leader-1",
        by="officer-1",
        found_done=True,
        at=at(18, 0),
    ),
    grid_tasks.CaseTakenUp(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        into="0199d1a0-6a5e-7c3b-9a57-3f2f5d1e8c99",
        urgent=False,
        place=HERE,
        role=Post.GRID_WORKER,
        body="",
        skills=(),
        weight=1,
        due=at(18, 0),
        at=at(16, 0),
    ),
    grid_tasks.CaseReopened(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        worker="grid-worker-1",
        closed_at=at(18, 0),
        on_time=True,
        first_attempt=False,
        reason="夜间仍有噪声",
        due=at(21, 0),
        at=at(19, 0),
    ),
    grid_tasks.CaseVerified(case=CASE, worker="grid-worker-1", verifier="grid-leader-1", attempt=2, at=at(13, 5)),
    grid_tasks.CaseClosed(
        case=CASE,
        category="neighbour_noise",
        grid="G1",
        worker="grid-worker-1",
        on_time=True,
        first_attempt=False,
        at=at(13, 5),
    ),
    grid_tasks.CaseTextErased(case=CASE, at=datetime(2028, 11, 24, 9, tzinfo=CHINA)),
    grid_tasks.CaseRated(case=CASE, worker="grid-worker-1", rating=4, closed_at=at(13, 5), grid="G1", at=at(18, 40)),
    grid_tasks.EvidenceExpected(
        evidence=EVIDENCE,
        media_type="image/jpeg",
        bytes=3_104_771,
        by="grid-worker-1",
        kept_until=datetime(2026, 11, 25, 9, 30, tzinfo=CHINA),
        at=at(9, 30),
    ),
    grid_tasks.EvidenceKept(
        evidence=EVIDENCE,
        media_type="image/jpeg",
        bytes=2_871_003,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        sha256_sent="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        place_taken=Place(longitude=120.0945, latitude=30.8723),
        datum="WGS-84",
        taken_at=at(9, 28),
        kept_until=datetime(2026, 11, 25, 9, 30, tzinfo=CHINA),
        at=at(9, 31),
    ),
    grid_tasks.EvidenceAttached(evidence=EVIDENCE, case=CASE, at=at(9, 40)),
    grid_tasks.EvidenceForgotten(
        evidence=EVIDENCE,
        case=CASE,
        cause=grid_tasks.ForgettingCause.CASE_ERASED,
        at=datetime(2029, 11, 24, 9, tzinfo=CHINA),
    ),
    grid_tasks.EvidenceRemoved(evidence=EVIDENCE, at=datetime(2029, 11, 24, 9, 1, tzinfo=CHINA)),
    notifications.NotificationRequested(
        **TOLD,
        occasion=notifications.Occasion.CASE_DISPATCHED,
        cause=f"case-{CASE}/3",
        case=CASE,
        recipient="grid-worker-1",
        due=at(11, 0),
        send_at=at(9, 0),
    ),
    notifications.NotificationDelayed(
        **TOLD, attempts=1, error="503 Service Unavailable", retry_at=at(9, 2), at=at(9, 1)
    ),
    notifications.NotificationDelivered(
        **TOLD, occasion=notifications.Occasion.CASE_DISPATCHED, attempts=2, at=at(9, 2)
    ),
    notifications.NotificationParked(**TOLD, attempts=8, error="410 Gone", at=at(9, 40)),
    notifications.NotificationResumed(**TOLD, at=at(10, 0)),
    notifications.NotificationWithdrawn(**TOLD, reason="the member has left the roster", at=at(10, 1)),
    notifications.SubscriptionMade(
        subscription=SUBSCRIPTION,
        partner="hotline_12345",
        url="https://hotline.example/commongrid",
        types=("commongrid.grid_tasks.case.closed.v1", "commongrid.grid_tasks.case.refused.v1"),
        at=at(8, 0),
    ),
    notifications.SecretRenewed(subscription=SUBSCRIPTION, generation=1, at=at(9, 0)),
    notifications.SubscriptionEnded(subscription=SUBSCRIPTION, at=at(10, 0)),
    registry.MemberDismissed(member="grid-worker-1"),
    assessment.PeriodPublished(
        period="2026-11", method=METHOD, scores=[SCORE], at=datetime(2026, 12, 1, 9, tzinfo=CHINA)
    ),
    registry.ImportBegun(
        import_id=IMPORT,
        into="people",
        file="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        mapping="44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        source="psb",
        lines=7751,
        by="registrar-1",
        at=at(8, 30),
    ),
    registry.ImportProgressed(
        import_id=IMPORT, line=5001, rows=5000, registered=4990, changed=0, unchanged=0, refused=10, at=at(8, 31)
    ),
    registry.ImportEnded(
        import_id=IMPORT, rows=7750, registered=7735, changed=0, unchanged=0, refused=15, at=at(8, 32)
    ),
    *(it.AuditRefused(**AUDIT, **REFUSED, times=3, until=at(9, 31)) for it in SERVICES),
    *(it.AuditDone(**AUDIT | {"actor": "operator:wang"}, **DONE) for it in SERVICES),
    grid_tasks.CalendarYearEntered(
        year=2026,
        notice="国办发明电〔2025〕7号",
        source="https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm",
        holidays=(
            grid_tasks.Holiday(
                name=Title(zh="国庆节", en="National Day"), first=date(2026, 10, 1), last=date(2026, 10, 7)
            ),
        ),
        working_days=(date(2026, 9, 20), date(2026, 10, 10)),
        by="registrar-1",
        at=at(8, 40),
    ),
    grid_tasks.VisitPlanned(
        **VISITED,
        cause="registration-P0001-2026-12-20",
        until=date(2026, 12, 20),
        site=SITE,
        hours="6-7 09:00-21:00",
        at=at(9, 0),
    ),
    grid_tasks.VisitAssigned(
        visit=VISIT, grid="G1", worker="grid-worker-1", why="待走访最少（0 户） / fewest open visits: 0", at=at(9, 0)
    ),
    grid_tasks.VisitGridChanged(visit=VISIT, grid="G2", was="G1", at=at(9, 5)),
    grid_tasks.VisitPutOn(
        visit=VISIT, worker="grid-worker-1", day=date(2026, 11, 28), reason="约好周六上午", at=at(9, 10)
    ),
    grid_tasks.VisitNobodyHome(
        visit=VISIT,
        grid="G1",
        worker="grid-worker-1",
        tries=1,
        part=visits.PartOfWeek.WORKDAY_EVENING,
        not_before=date(2026, 11, 25),
        tried_at=at(18, 40),
        at=at(18, 41),
    ),
    grid_tasks.VisitDone(
        **VISITED,
        cause="registration-P0001-2026-12-20",
        worker="grid-worker-1",
        form="resident",
        form_version=1,
        as_registered=False,
        wrong=("phone",),
        answers='{"as_registered": false, "changes": {"phone": "15496301248"}}',
        tries=2,
        done_at=at(19, 0),
        at=at(19, 1),
    ),
    grid_tasks.VisitTurnedAway(
        visit=VISIT, kind=visits.VisitKind.REGISTRATION, grid="G1", worker="grid-worker-1", at=at(19, 0)
    ),
    grid_tasks.VisitMovedAway(**VISITED, worker="grid-worker-1", at=at(19, 0)),
    grid_tasks.VisitCancelled(
        visit=VISIT, grid="G1", cause=visits.CancelCause.BY_HAND, reason="重复", by="grid-leader-1", at=at(9, 30)
    ),
    grid_tasks.VisitAnswersErased(visit=VISIT, at=datetime(2027, 6, 1, 9, tzinfo=CHINA)),
    grid_tasks.RoundArranged(
        round="grid-worker-1-2026-11-24",
        worker="grid-worker-1",
        day=date(2026, 11, 24),
        order=(VISIT,),
        at=at(8, 30),
    ),
    grid_tasks.OverreachRefused(
        overreach="0199d1a06a5e7c3b9a573f2f5d1e8c55",
        body="市场监督管理局",
        kind=visits.OverreachKind.NOT_THE_GRIDS,
        category="business_licence_check",
        at=at(10, 0),
    ),
    grid_tasks.CampaignsBudgeted(month="2026-12", hours=120, by="registrar-1", at=at(9, 0)),
    grid_tasks.CampaignAsked(
        **CAMPAIGN,
        body="公安局",
        title=Title(zh="12幢反诈宣传", en="Anti-fraud talk in building 12"),
        by="liaison-1",
        at=at(9, 0),
    ),
    grid_tasks.CampaignApproved(**CAMPAIGN, by="officer-1", at=at(10, 0)),
    grid_tasks.CampaignRefused(
        month="2026-12", campaign=CAMPAIGN["campaign"], reason="与年底走访冲突", by="officer-1", at=at(10, 0)
    ),
    grid_tasks.PatrolWalked(
        patrol="0199d1a06a5e7c3b9a573f2f5d1e8c66",
        grid="G1",
        worker="grid-worker-1",
        points=3,
        found=1,
        findings=(
            visits.PatrolFinding(point="5幢地下室", category="blocked_fire_exit", description="楼道堆物", place=HERE),
        ),
        at=at(15, 0),
    ),
)

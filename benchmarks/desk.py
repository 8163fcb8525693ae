"""The service that is measured: a desk that takes reports. An event is some 350 bytes of JSON, as that of a case is."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from events import Aggregate, Batch, Connection, Event, ReadModel, Recorded, Service, personal


class ReportMade(Event, type="commongrid.desk.report.made.v1"):
    """Somebody reported something."""

    report: str
    category: str
    description: str
    longitude: float
    latitude: float
    grid: str
    reporter: str


class ConfidentialReportMade(Event, type="commongrid.desk.confidential.made.v1"):
    """The same, where what was written and who wrote it is personal."""

    report: str
    category: str
    description: str = personal()
    longitude: float
    latitude: float
    grid: str
    reporter: str = personal()


@dataclass(frozen=True)
class Make:
    """Report something."""

    report: str
    category: str
    description: str
    longitude: float
    latitude: float
    grid: str
    reporter: str


def deciding(cls: type[ReportMade | ConfidentialReportMade]) -> Callable[[bool, Make], Sequence[Event]]:
    """A report is made once, as an event of this class."""

    def decide(made: bool, command: Make) -> Sequence[Event]:
        if made:
            return []
        return [
            cls(
                report=command.report,
                category=command.category,
                description=command.description,
                longitude=command.longitude,
                latitude=command.latitude,
                grid=command.grid,
                reporter=command.reporter,
            )
        ]

    return decide


def evolve(made: bool, event: Event) -> bool:
    """Made it is."""
    return made or isinstance(event, ReportMade | ConfidentialReportMade)


CONFIDENTIAL = Aggregate(
    "confidential",
    initial=False,
    decide=deciding(ConfidentialReportMade),
    evolve=evolve,
    events=(ConfidentialReportMade,),
)

REPORT = Aggregate("report", initial=False, decide=deciding(ReportMade), evolve=evolve, events=(ReportMade,))

TABLE = """create table report (
    report text collate "C" primary key,
    category text not null,
    description text not null,
    longitude double precision not null,
    latitude double precision not null,
    grid text not null,
    reporter text not null
)"""

COLUMNS = "report", "category", "description", "longitude", "latitude", "grid", "reporter"

UPSERT = f"""
insert into report ({", ".join(COLUMNS)})
select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[], $7::text[])
on conflict (report) do update set category = excluded.category"""  # noqa: S608

UPSERT_ONE = f"""
insert into report ({", ".join(COLUMNS)}) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (report) do update set category = excluded.category"""  # noqa: S608

by_set = ReadModel("by_set", TABLE)
one_by_one = ReadModel("one_by_one", TABLE)


@by_set.on(ReportMade)
async def made(db: Connection, events: Batch[ReportMade]) -> None:
    """A row for each."""
    await db.execute(UPSERT, *(events.column(name) for name in COLUMNS))


@one_by_one.each(ReportMade)
async def made_one(db: Connection, event: Recorded[ReportMade]) -> None:
    """A row."""
    data = event.data
    await db.execute(
        UPSERT_ONE,
        data.report,
        data.category,
        data.description,
        data.longitude,
        data.latitude,
        data.grid,
        data.reporter,
    )


def desk(*read_models: ReadModel) -> Service:
    """The service, with these read models of its own."""
    return Service("desk", aggregates=[REPORT], read_models=list(read_models))


def confidential_desk() -> Service:
    """The service, where it takes reports in confidence as well."""
    return Service("desk", aggregates=[REPORT, CONFIDENTIAL])


def board(*read_models: ReadModel) -> Service:
    """Another service, which follows the desk's reports by topic."""
    return Service("board", aggregates=[], read_models=list(read_models))


class Reports:
    """Reports as people make them, from a fixed seed; their ids are new in each run."""

    def __init__(self) -> None:
        self._random = Random(7)  # noqa: S311
        self._run = secrets.token_hex(6)
        self._count = 0

    def next(self) -> Make:
        """One more."""
        self._count += 1
        return Make(
            report=f"{self._run}{self._count:012d}",
            category=self._random.choice(("street_light_out", "illegal_parking", "rubbish", "noise")),
            description="路灯不亮,晚上很黑,老人走路不安全,请尽快修理。" * self._random.randint(1, 2),
            longitude=121.60 + self._random.random() / 100,
            latitude=29.86 + self._random.random() / 100,
            grid=f"330203001001-{self._random.randint(1, 6)}",
            reporter=f"resident-{self._random.randint(1, 9999):04d}",
        )

    def several(self, count: int) -> list[Make]:
        """So many more."""
        return [self.next() for _ in range(count)]


def event_of(make: Make) -> ReportMade:
    """The event that the report leads to."""
    [event] = REPORT.decide(False, make)
    assert isinstance(event, ReportMade)  # noqa: S101
    return event

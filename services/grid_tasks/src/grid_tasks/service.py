"""grid_tasks at a glance."""

from contracts.asyncapi import document
from contracts.grid_tasks import AuditDone, AuditRefused, ErasureConfirmed
from edge import Application, Audit, authority
from edge.announcing import announcing
from edge.erasures import erasures
from events import Service

from grid_tasks.api import (
    boards,
    calendar,
    campaigns,
    cases,
    duties,
    evidence,
    indicators,
    mine,
    moves,
    patrols,
    relayed,
    reporting,
    rounds,
    sync,
    visit_forms,
    visits,
    workers,
)
from grid_tasks.api import overreach as overreaching
from grid_tasks.api.open311 import router as open311
from grid_tasks.api.open311.settings import say_which_jurisdiction
from grid_tasks.domain.calendar_year import CALENDAR
from grid_tasks.domain.campaigns import CAMPAIGNS
from grid_tasks.domain.case import CASE
from grid_tasks.domain.evidence import EVIDENCE
from grid_tasks.domain.overreach import OVERREACH
from grid_tasks.domain.patrol import PATROL
from grid_tasks.domain.round import ROUND
from grid_tasks.domain.visit import VISIT
from grid_tasks.evidence.configured import by_environment, say_where_evidence_is_kept
from grid_tasks.office_hours import say_when_offices_are_open
from grid_tasks.policies.accepting import accepting
from grid_tasks.policies.attaching import attaching
from grid_tasks.policies.campaigning import campaigning
from grid_tasks.policies.deadlines import deadlines
from grid_tasks.policies.dispatching import dispatching
from grid_tasks.policies.evidence import removing_evidence
from grid_tasks.policies.following_the_map import following_the_map
from grid_tasks.policies.forgetting import forgetting
from grid_tasks.policies.forgetting_visits import forgetting_visits
from grid_tasks.policies.lapsing import lapsing
from grid_tasks.policies.moving_visits import moving_visits
from grid_tasks.policies.patrolling import patrolling
from grid_tasks.policies.reassigning import reassigning
from grid_tasks.policies.resuming import resuming
from grid_tasks.policies.sharing_visits import sharing_visits
from grid_tasks.policies.unmerging import unmerging
from grid_tasks.policies.visiting import visiting
from grid_tasks.policies.warning import warning
from grid_tasks.read_models.calendar_days import calendar_days
from grid_tasks.read_models.case_board import case_board
from grid_tasks.read_models.duties import duties as duty_list
from grid_tasks.read_models.evidence import evidence as kept_evidence
from grid_tasks.read_models.field_work import field_work
from grid_tasks.read_models.figures import figures
from grid_tasks.read_models.grids import grids
from grid_tasks.read_models.open_work import open_work
from grid_tasks.read_models.overreach import overreach
from grid_tasks.read_models.visit_board import visit_board
from grid_tasks.read_models.whereabouts import whereabouts
from grid_tasks.read_models.workers import workers as roster
from grid_tasks.retention import erasing_old_texts
from grid_tasks.waiting import giving_what_waits

audit = Audit(AuditRefused, AuditDone)
erasure = erasures(ErasureConfirmed, whereabouts)

grid_tasks = Service(
    "grid_tasks",
    aggregates=[
        CASE,
        CALENDAR,
        EVIDENCE,
        VISIT,
        ROUND,
        CAMPAIGNS,
        PATROL,
        OVERREACH,
        erasure.aggregate,
        audit.aggregate,
    ],
    read_models=[
        grids,
        duty_list,
        roster,
        open_work,
        case_board,
        calendar_days,
        kept_evidence,
        visit_board,
        whereabouts,
        overreach,
        field_work,
        figures,
        authority,
        audit.read_model,
    ],
    policies=[
        accepting,
        dispatching,
        reassigning,
        following_the_map,
        unmerging,
        deadlines,
        warning,
        resuming,
        attaching,
        forgetting,
        erasure.policy,
        removing_evidence(by_environment),
        visiting,
        moving_visits,
        sharing_visits,
        forgetting_visits,
        campaigning,
        patrolling,
        lapsing,
    ],
)

application = Application(
    grid_tasks,
    routers=[
        cases.router,
        moves.router,
        reporting.router,
        duties.router,
        workers.router,
        calendar.router,
        evidence.router(by_environment),
        visits.router,
        visit_forms.router,
        rounds.router,
        overreaching.router,
        campaigns.router,
        patrols.router,
        sync.router,
        mine.router,
        open311.router,
        boards.router,
        indicators.router,
        relayed.router,
    ],
    statuses={
        "not-on-any-duty-list": 422,
        "not-a-grid-duty": 422,
        "not-a-rating": 422,
        "not-in-post-here": 422,
        "not-your-case": 403,
        "not-your-grid": 403,
        "verified-by-another": 403,
        "not-your-receipt": 403,
        "decided-by-another": 403,
        "not-asked-to-help": 403,
        "unknown-grid": 422,
        "not-the-same": 422,
        "nobody-of-that-body": 422,
        "not-more-than-asked": 422,
        "evidence-missing": 422,
        "day-of-another-year": 422,
        "ends-before-it-begins": 422,
        "day-twice": 422,
        "off-and-worked": 422,
        "not-of-a-weekend": 422,
        "not-taken-as-evidence": 422,
        "evidence-too-large": 413,
        "too-many-pixels": 422,
        "not-what-was-said": 422,
        "broken-photo": 422,
        "arrived-differently": 422,
        "evidence-not-kept": 422,
        "asked-not-to-be-contacted": 422,
        "not-your-visit": 403,
        "not-this-form": 422,
        "not-by-the-form": 422,
        "not-a-day-to-come": 422,
        "not-of-one-month": 422,
        "speaks-for-nobody": 422,
        "not-a-period": 422,
        "not-a-box": 422,
        "link-over": 410,
        "evidence-gone": 410,
    },
    description="From a report to a verified, closed case (事件), in time, by a public duty list.",
    workers=[erasing_old_texts, giving_what_waits],
    companions=[
        announcing(say_where_evidence_is_kept),
        announcing(say_which_jurisdiction),
        announcing(say_when_offices_are_open),
    ],
    audit=audit,
    asyncapi=document("grid_tasks"),
)

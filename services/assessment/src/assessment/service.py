"""Assessment at a glance."""

from contracts.assessment import AuditDone, AuditRefused
from contracts.asyncapi import document
from edge import Application, Audit, authority
from events import Service

from assessment.api import board, periods
from assessment.domain.period import PERIOD
from assessment.read_models.members import members
from assessment.read_models.outcomes import outcomes

audit = Audit(AuditRefused, AuditDone)

assessment = Service(
    "assessment", aggregates=[PERIOD, audit.aggregate], read_models=[outcomes, members, authority, audit.read_model]
)

application = Application(
    assessment,
    routers=[board.router, periods.router],
    description="Fair, explainable, public scores from outcomes (考核): the board of a month, and its publication.",
    audit=audit,
    asyncapi=document("assessment"),
)

"""Assessment at a glance."""

from contracts.assessment import AuditDone, AuditRefused, ErasureConfirmed
from contracts.asyncapi import document
from edge import Application, Audit, authority
from edge.erasures import erasures
from events import Service

from assessment.api import board, periods
from assessment.domain.period import PERIOD
from assessment.read_models.members import members
from assessment.read_models.outcomes import outcomes

audit = Audit(AuditRefused, AuditDone)
erasure = erasures(ErasureConfirmed)

assessment = Service(
    "assessment",
    aggregates=[PERIOD, erasure.aggregate, audit.aggregate],
    read_models=[outcomes, members, authority, audit.read_model],
    policies=[erasure.policy],
)

application = Application(
    assessment,
    routers=[board.router, periods.router],
    description="Fair, explainable, public scores from outcomes (考核): the board of a month, and its publication.",
    audit=audit,
    asyncapi=document("assessment"),
)

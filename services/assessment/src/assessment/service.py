"""Assessment at a glance."""

from contracts.assessment import ErasureConfirmed
from contracts.asyncapi import document
from edge import Application, authority
from edge.erasures import erasures
from events import Service

from assessment.api import board, periods
from assessment.domain.period import PERIOD
from assessment.read_models.members import members
from assessment.read_models.outcomes import outcomes

erasure = erasures(ErasureConfirmed)

assessment = Service(
    "assessment",
    aggregates=[PERIOD, erasure.aggregate],
    read_models=[outcomes, members, authority],
    policies=[erasure.policy],
)

application = Application(
    assessment,
    routers=[board.router, periods.router],
    description="Fair, explainable, public scores from outcomes (考核): the board of a month, and its publication.",
    asyncapi=document("assessment"),
)

"""Assessment at a glance."""

from contracts.asyncapi import document
from edge import Application, authority
from events import Service

from assessment.api import board, periods
from assessment.domain.period import PERIOD
from assessment.read_models.members import members
from assessment.read_models.outcomes import outcomes

assessment = Service("assessment", aggregates=[PERIOD], read_models=[outcomes, members, authority])

application = Application(
    assessment,
    routers=[board.router, periods.router],
    description="Fair, explainable, public scores from outcomes (考核): the board of a month, and its publication.",
    asyncapi=document("assessment"),
)

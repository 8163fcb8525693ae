"""The live event view draws who follows what: it must be what the services really follow."""

import assessment.service
import grid_tasks.service
import notifications.service
import registry.service
from notifications.live.topology import FOLLOWED


def test_the_live_view_draws_what_each_service_follows() -> None:
    for module in (registry.service, grid_tasks.service, assessment.service, notifications.service):
        service = module.application.service
        follows = {
            ".".join(event.type_name.split(".")[1:4])
            for part in (*service.read_models, *service.policies)
            for event in part.follows
            if not service.owns(event)
        }
        assert follows == set(FOLLOWED[service.name]), service.name

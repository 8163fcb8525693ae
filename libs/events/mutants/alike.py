"""A pytest plugin: property tests try the same on each mutant, as long as it takes, and stop at what they find.

Else a mutant might be seen or not by luck, or because the machine is busy; and to make a finding small takes longer
than to find it.
"""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow,),
)
settings.load_profile("mutants")

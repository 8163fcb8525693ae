"""What can be wrong with the machine or the command. Every message is one sentence that a person can act on."""


class Trouble(Exception):
    """Shown to the user as it is, without a traceback."""


class PortTaken(Trouble):
    """A port that was asked for is in use."""


class AlreadyRunning(Trouble):
    """Another process holds the data folder."""


class NotRunning(Trouble):
    """What was asked needs a running system."""


class MissingPart(Trouble):
    """A part that comes with the set-up is not there: a wheel, a jar, a program."""


class DiedAtStart(Trouble):
    """A process ended, or did not answer in time, while it was being started."""

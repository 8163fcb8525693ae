"""`python -m notifications migrate | api | worker | all | events …`"""

import sys

from edge import main
from edge.settings import SettingsError

from notifications.service import application, by_environment

try:
    by_environment()  # a wrong variable is said now, not when the first message is due
except SettingsError as error:
    sys.exit(str(error))
main(application)

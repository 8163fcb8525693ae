"""`python -m registry migrate | api | worker | all | events …`"""

from edge import main

from registry.service import application

main(application)

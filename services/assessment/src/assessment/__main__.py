"""`python -m assessment migrate | api | worker | all | events …`"""

from edge import main

from assessment.service import application

main(application)

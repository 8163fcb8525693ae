"""`python -m grid_tasks migrate | api | worker | all | events …`."""

from edge import main

from grid_tasks.service import application

main(application)

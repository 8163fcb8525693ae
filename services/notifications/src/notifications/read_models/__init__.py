"""What notifications needs to know, from registry's and grid_tasks' events; and the board of its own."""

"""What is so: addresses, buildings, households, people, units, grids, posts, duties; and what makes an entry right."""

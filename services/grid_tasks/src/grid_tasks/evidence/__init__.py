"""Where evidence (证据) is kept, and what is done with it before."""

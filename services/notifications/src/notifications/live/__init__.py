"""The live event view: events as they pass between the services, for everyone to see; metadata only."""

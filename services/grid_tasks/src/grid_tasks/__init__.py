"""From a report to a verified, closed case, in time, by a public duty list."""

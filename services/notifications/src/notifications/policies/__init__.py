"""When something happened to a case, then tell somebody; when a message is due, then send it."""

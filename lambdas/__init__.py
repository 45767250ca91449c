"""Entry points of the functions: parse the event, take one decision, make one call."""

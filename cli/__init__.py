"""The operator's command, `perennial`."""

"""The laptop engine: runs the synthesized app without an account and without Docker."""

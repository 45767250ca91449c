"""Numeric libraries keep to the share of cores that a job would take: the tests may run beside others."""

from training import threads

threads.limit()

"""The pure domain: every decision of the loop as a function over frozen values, standard library only."""

"""Parts that several stacks are composed of."""

"""The CDK stacks: what exists on AWS, and on the laptop."""

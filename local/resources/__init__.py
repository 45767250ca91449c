"""One module per AWS service: how each CloudFormation type of the stacks is made, read back, changed and removed."""

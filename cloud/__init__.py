"""The only boto3 code of the product: one small module per thing we talk to."""

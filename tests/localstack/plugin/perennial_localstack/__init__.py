"""What Perennial's test lane plugs into LocalStack, by its public plug-in points (`../entry_points.txt`).

Without Docker and without downloads LocalStack has no Lambda workers, no DynamoDB and no provider of two resource
types that our templates use. Everything else of it is as it comes.
"""

"""Job code: train, evaluate, compile. Files in, files out; it never calls AWS and knows no path but its root."""

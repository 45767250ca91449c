"""Job code: files in, files out; never a call to AWS."""

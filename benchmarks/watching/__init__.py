"""Traffic to watch, a folder instead of buckets, and one look in a process of its own."""

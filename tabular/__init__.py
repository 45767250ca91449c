"""Data-frame work on polars: read objects, profile them, split them."""

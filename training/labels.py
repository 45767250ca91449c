"""Target column -> class texts, spelled the same whatever kind the column has: true / false, whole numbers, text."""

import polars as pl


def label_texts(target: pl.Series) -> pl.Series:
    """Return the labels as text; null where there is none.

    Booleans become "true" and "false", whole numbers lose their fraction ("1", not "1.0"), empty text is no label.
    """
    if target.dtype == pl.Boolean:
        return target.replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    if target.dtype.is_float():
        usable = pl.col(target.name).fill_nan(None)
        whole = pl.when(usable == usable.floor()).then(usable.cast(pl.Int64, strict=False).cast(pl.String))
        return target.to_frame().select(whole.otherwise(usable.cast(pl.String))).to_series()
    texts = target.cast(pl.String)
    return texts.set(texts == "", None)

"""Estimator of a compiled model -> function from an encoded row to outputs; loads only what its kind needs."""

from __future__ import annotations

from lifecycle.links import link_of

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from lifecycle.encoding import Encoder
    from lifecycle.trees import Walker

    Outputs = Callable[[list[float]], list[float]]


class Estimator:
    """A checked estimator that scores: `link(raw(encoded))` are its outputs.

    `raw` is replaced by `accelerate`, so whoever scores many rows reads it anew for each batch.
    """

    def __init__(self, data: Mapping[str, Any], encoder: Encoder, plain: Mapping[str, Any], outputs: int) -> None:
        self.link: Outputs = link_of(data)
        self._encoder = encoder
        self._walker: Walker | None = None
        self._members: list[Estimator] = []
        if data["kind"] == "linear":
            from lifecycle import linear

            self.raw: Outputs = linear.scorer(data, encoder)
        elif data["kind"] == "trees":
            from lifecycle.trees import Walker

            self._walker = Walker(data, plain, outputs)
            self.raw = self._on_dense(self._walker.sums)
        elif data["kind"] == "endpoint":
            from lifecycle import remote

            self.raw = remote.raw
        else:
            from lifecycle import calibration

            self._members = [Estimator(member["estimator"], encoder, plain, outputs) for member in data["members"]]
            self.raw = calibration.scorer(data["members"], [member.outputs for member in self._members])

    def outputs(self, encoded: list[float]) -> list[float]:
        """Return the outputs of one encoded row."""
        return self.link(self.raw(encoded))

    def accelerate(self) -> None:
        """Write the trees as a function when that is worth it; the outputs stay the same to the bit."""
        for member in self._members:
            member.accelerate()
        if self._walker is not None:
            from lifecycle.trees import faster

            sums = faster(self._walker)
            if sums is not None:
                self.raw = self._on_dense(sums)
            self._walker = None

    def _on_dense(self, sums: Callable[[Sequence[float]], list[float]]) -> Outputs:
        """In the ordinal layout an encoded row is what the trees take; otherwise categories are spread out first."""
        expand = self._encoder.expand
        return sums if self._encoder.layout == "ordinal" else lambda encoded: sums(expand(encoded))

"""Cut the current objects of one dataset into a data version, exactly once per content."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from typing import Any, Final

from cloud.claims import Claims
from cloud.events import Events
from cloud.ledger import Ledger
from cloud.objects import Bucket
from lambdas.observability import note
from lambdas.wiring import iso
from lifecycle import claims, keys, ledger, looks, names, versions
from lifecycle.claims import CUT_LEASE_SECONDS, Taking
from lifecycle.errors import ClaimHeld
from lifecycle.ledger import Entry
from lifecycle.versions import Current, Manifest, Upload

THREADS: Final = 16
COPIES_PER_LEASE: Final = 500
COPYING_SECONDS: Final = 60  # well below the function's time-out; what is left is copied at the next look
INCOMPLETE_SECONDS: Final = 1


@dataclass(frozen=True, kw_only=True)
class Cutter:
    """The one cutter of a dataset at a time (its claim sees to that)."""

    stage: str
    settle_seconds: int
    bucket: Bucket
    claims: Claims
    ledger: Ledger
    events: Events
    now: Callable[[], float]

    def look(self, dataset: str, owner: str, sent: float | None) -> int:
        """Look at a dataset and cut it if it is settled; return the seconds after which to look again, 0 for never.

        Where a look that has ended answers for a message of `sent` (epoch seconds: of the newest; None: for none) its
        answer is given.

        Raises
        ------
        ClaimHeld
            when somebody else looks now; what they list may be older than what we were told about, and they may die.
        """
        claim = claims.cut(dataset)
        current = self.claims.read(claim)
        if current is not None:
            if current.held_by_other(owner, self.now()):
                raise ClaimHeld(f"{current.owner} looks at dataset {dataset} now")
            answer = looks.answer(current.value, sent, self.now())
            if answer is not None:
                note("looked at already", dataset=dataset, looked=current.value["looked"], again_in=answer)
                return answer
        self._hold(dataset, owner)
        began, said = self.now(), None
        try:
            wait = self._cut(dataset, owner)
            said = looks.said(began, self.now() + wait if wait else None)
            return wait
        finally:
            self.claims.release(claim, owner, said)

    def _cut(self, dataset: str, owner: str) -> int:
        listed = self.bucket.uploads(dataset)
        data = [upload for upload in listed if versions.is_data(upload.name)]
        wait = versions.remaining(listed, self.now(), self.settle_seconds)
        if wait:
            return wait
        current = self._current(dataset)
        if not data:
            self._record_emptied(dataset, current)
            return 0
        if large := versions.too_large(data):
            self._record_refused(dataset, large)
            return 0
        digests = self._digests(dataset, owner, data, current)
        if digests is None:
            return INCOMPLETE_SECONDS
        self._commit(owner, current, versions.assemble(dataset, data, digests, iso(self.now())))
        return 0

    def _commit(self, owner: str, current: Current | None, manifest: Manifest) -> None:
        """Announce a new version and only then make it the current one: a death in between announces it again."""
        following = versions.follow(current, manifest)
        if following is None:
            note("version unchanged", dataset=manifest.dataset, version=manifest.version)
            return
        self._hold(manifest.dataset, owner)
        dataset, version = manifest.dataset, manifest.version
        if self.bucket.read(keys.manifest(dataset, version)) is None:
            self.bucket.write_json(keys.channel(dataset, version), versions.channel(manifest, self.bucket.name))
            self.bucket.write_json(keys.manifest(dataset, version), manifest.to_plain())
        detail = {"stage": self.stage, "dataset": dataset, **_newest(following)}
        self._record(dataset, ledger.VERSION_CUT, f"{following.sequence}#{version}", {**detail, **_size(manifest)})
        self.events.announce(names.VERSION_CUT, detail)
        self.bucket.write_json(keys.current(dataset), following.to_plain())
        note("version cut", **detail, **_size(manifest))

    def _digests(self, dataset: str, owner: str, data: list[Upload], current: Current | None) -> dict[str, str] | None:
        """Return the SHA-256 of every object version, copying those never copied.

        None when the work is not complete: an object has gone meanwhile, or there are more than one look can copy.
        """
        known = self._known(dataset, current)
        missing = versions.to_copy(data, known)
        until = self.now() + COPYING_SECONDS
        with ThreadPoolExecutor(THREADS) as pool:
            for part in batched(missing, COPIES_PER_LEASE):
                if self.now() > until:
                    self.bucket.write_json(keys.copied(dataset), known)
                    note("cut continues later", dataset=dataset, known=len(known), objects=len(data))
                    return None
                for upload, digest in zip(part, pool.map(lambda one: self._copy(dataset, one), part), strict=True):
                    if digest is None:
                        return None
                    known[upload.version_id] = digest
                self._hold(dataset, owner)
        note("objects copied", dataset=dataset, copied=len(missing), objects=len(data))
        return known

    def _copy(self, dataset: str, upload: Upload) -> str | None:
        source = keys.incoming(dataset, upload.name)
        return self.bucket.copy_version(source, upload.version_id, keys.immutable(dataset, upload.version_id))

    def _known(self, dataset: str, current: Current | None) -> dict[str, str]:
        known: dict[str, str] = self.bucket.read_json(keys.copied(dataset)) or {}
        if current is not None:
            manifest = Manifest.from_plain(self.bucket.need_json(keys.manifest(dataset, current.version)))
            known |= {entry.version_id: entry.sha256 for entry in manifest.objects}
        return known

    def _current(self, dataset: str) -> Current | None:
        raw = self.bucket.read_json(keys.current(dataset))
        return None if raw is None else Current.from_plain(raw)

    def _hold(self, dataset: str, owner: str) -> None:
        self.claims.hold(Taking(claim=claims.cut(dataset), owner=owner, lease_seconds=CUT_LEASE_SECONDS), self.now())

    def _record_emptied(self, dataset: str, current: Current | None) -> None:
        sequence = 0 if current is None else current.sequence
        self._record(dataset, ledger.DATASET_EMPTIED, f"{sequence}#emptied", {"after_sequence": sequence})
        note("dataset emptied", dataset=dataset, sequence=sequence)

    def _record_refused(self, dataset: str, large: list[Upload]) -> None:
        reason = (
            f"over {names.COPY_BYTES} bytes, the most that S3 copies at once: {versions.names_of(large)}. "
            "Split each into smaller files and delete the large one; no version is cut before."
        )
        first = min(large, key=lambda upload: upload.name)
        detail = {"reason": reason, "objects": [upload.name for upload in large[:20]]}
        self._record(dataset, ledger.UPLOAD_REFUSED, f"{first.version_id}#refused", detail)
        note("upload refused", dataset=dataset, objects=len(large))

    def _record(self, dataset: str, kind: str, entry_id: str, detail: dict[str, Any]) -> None:
        subject = ledger.dataset(dataset)
        entry = Entry(subject=subject, kind=kind, id=f"{dataset}#{entry_id}", at=iso(self.now()), detail=detail)
        self.ledger.record(entry)


def _newest(current: Current) -> dict[str, Any]:
    return {"version": current.version, "sequence": current.sequence, "cut_at": current.cut_at}


def _size(manifest: Manifest) -> dict[str, int]:
    return {"objects": len(manifest.objects), "bytes": _bytes(manifest.objects)}


def _bytes(objects: Iterable[versions.Entry]) -> int:
    return sum(entry.size for entry in objects)

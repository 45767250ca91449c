"""The SNS topic that people subscribe to."""

from typing import Any

from cloud.faults import translated

SUBJECT_LENGTH = 100  # SNS API reference, Publish: Subject


class Notices:
    """Tells people what they may have to act on."""

    def __init__(self, sns: Any, topic: str) -> None:
        self._sns = sns
        self._topic = topic

    def tell(self, subject: str, text: str) -> None:
        """Publish one notice."""
        with translated(f"publish to {self._topic}"):
            self._sns.publish(TopicArn=self._topic, Subject=subject[:SUBJECT_LENGTH], Message=text)

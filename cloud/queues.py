"""Messages of an SQS queue that a function could not handle yet."""

from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code, translated

_GONE = frozenset(
    {
        "AWS.SimpleQueueService.MessageNotInflight",
        "InvalidParameterValue",
        "MessageNotInflight",
        "ReceiptHandleIsInvalid",
    }
)


class Queues:
    """Any queue, by the ARN that an event record names."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self._urls: dict[str, str] = {}

    def postpone(self, queue_arn: str, receipt: str, seconds: int) -> bool:
        """Show a received message again after `seconds`; False when it is not ours any more (it comes back anyway)."""
        try:
            with translated(f"postpone a message of {queue_arn}"):
                self._sqs.change_message_visibility(
                    QueueUrl=self._url(queue_arn), ReceiptHandle=receipt, VisibilityTimeout=seconds
                )
        except ClientError as error:
            if code(error) in _GONE:
                return False
            raise
        return True

    def _url(self, queue_arn: str) -> str:
        if queue_arn not in self._urls:
            *_, account, name = queue_arn.split(":")
            answer = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
            self._urls[queue_arn] = answer["QueueUrl"]
        return self._urls[queue_arn]

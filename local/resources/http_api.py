"""AWS::ApiGatewayV2: HTTP APIs, stages, routes, integrations."""

from typing import Any

from local.resources.kind import Kind, Subject, removed_tags

_STAGE = ("AutoDeploy", "DefaultRouteSettings", "AccessLogSettings", "Description")


def _create_api(subject: Subject) -> str:
    asked = subject.picked("Name", "ProtocolType", "Description", "DisableExecuteApiEndpoint", "Tags")
    return str(subject.client("apigatewayv2").create_api(**asked)["ApiId"])


def _update_api(subject: Subject) -> None:
    client = subject.client("apigatewayv2")
    client.update_api(ApiId=subject.id, **subject.picked("Name", "Description", "DisableExecuteApiEndpoint"))
    if subject.changed("Tags"):
        arn = f"arn:aws:apigateway:{client.meta.region_name}::/apis/{subject.id}"
        if gone := removed_tags(subject):
            client.untag_resource(ResourceArn=arn, TagKeys=gone)
        client.tag_resource(ResourceArn=arn, Tags=subject.properties["Tags"])


def _read_api(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.client("apigatewayv2").get_api(ApiId=subject.id)
    return found


def _api(subject: Subject) -> dict[str, str]:
    return {"ApiId": str(subject.properties["ApiId"])}


def _create_stage(subject: Subject) -> str:
    asked = subject.picked("StageName", *_STAGE, "Tags")
    return str(subject.client("apigatewayv2").create_stage(**_api(subject), **asked)["StageName"])


def _part(name: str, properties: tuple[str, ...]) -> Kind:
    """Return the kind of a part of an API whose `Ref` is its id (`<name>Id`)."""

    def call(subject: Subject, verb: str, **asked: Any) -> Any:
        return getattr(subject.client("apigatewayv2"), f"{verb}_{name.lower()}")(**_api(subject), **asked)

    def its_id(subject: Subject) -> dict[str, str]:
        return {f"{name}Id": subject.id}

    return Kind(
        type=f"AWS::ApiGatewayV2::{name}",
        properties=f"ApiId {' '.join(properties)}",
        fixed="ApiId",
        create=lambda s: str(call(s, "create", **s.picked(*properties))[f"{name}Id"]),
        read=lambda s: call(s, "get", **its_id(s)) | _api(s),
        update=lambda s: call(s, "update", **its_id(s), **s.picked(*properties)),
        delete=lambda s: call(s, "delete", **its_id(s)),
    )


KINDS = (
    Kind(
        type="AWS::ApiGatewayV2::Api",
        properties="Name ProtocolType Description DisableExecuteApiEndpoint Tags.*",
        create=_create_api,
        read=_read_api,
        update=_update_api,
        delete=lambda s: s.client("apigatewayv2").delete_api(ApiId=s.id),
        attributes=lambda s: {"ApiId": s.id, "ApiEndpoint": _read_api(s)["ApiEndpoint"]},
        attribute_names="ApiId ApiEndpoint",
        fixed="ProtocolType",
        defaults={"Description": "", "DisableExecuteApiEndpoint": False},
    ),
    Kind(
        type="AWS::ApiGatewayV2::Stage",
        properties="""ApiId StageName AutoDeploy Description Tags.*
            DefaultRouteSettings.ThrottlingBurstLimit DefaultRouteSettings.ThrottlingRateLimit
            DefaultRouteSettings.DetailedMetricsEnabled AccessLogSettings.DestinationArn AccessLogSettings.Format""",
        create=_create_stage,
        read=lambda s: s.client("apigatewayv2").get_stage(**_api(s), StageName=s.id) | _api(s),
        update=lambda s: s.client("apigatewayv2").update_stage(**_api(s), StageName=s.id, **s.picked(*_STAGE)),
        delete=lambda s: s.client("apigatewayv2").delete_stage(**_api(s), StageName=s.id),
        fixed="ApiId StageName",
    ),
    _part("Route", ("RouteKey", "Target", "AuthorizationType")),
    _part(
        "Integration",
        ("IntegrationType", "IntegrationUri", "PayloadFormatVersion", "TimeoutInMillis", "IntegrationMethod"),
    ),
)

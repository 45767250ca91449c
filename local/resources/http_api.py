"""AWS::ApiGatewayV2: HTTP APIs, stages, routes, integrations."""

from typing import Any

from local.resources.kind import Kind, Subject, found_or
from local.tokens import IssuerError, Tokens


def _part(name: str, settings: str, **defaults: Any) -> Kind:
    """Return the kind of a part of an API whose `Ref` is its id (`<name>Id`)."""

    def call(subject: Subject, verb: str, **asked: Any) -> Any:
        return getattr(subject.aws, f"{verb}_{name.lower()}")(**subject.pick("ApiId"), **asked)

    return Kind(
        type=f"AWS::ApiGatewayV2::{name}",
        service="apigatewayv2",
        properties=f"ApiId {settings}",
        create=lambda s: str(call(s, "create", **s.pick(settings))[f"{name}Id"]),
        read=lambda s: call(s, "get", **{f"{name}Id": s.id}) | s.pick("ApiId"),
        update=lambda s: call(s, "update", **{f"{name}Id": s.id}, **s.pick(settings)),
        updates=settings,
        replaces="ApiId",
        defaults=defaults,
        delete=lambda s: call(s, "delete", **{f"{name}Id": s.id}),
    )


def _stage(subject: Subject) -> dict[str, Any]:
    return subject.pick("ApiId StageName")


_OF_STAGE = "AutoDeploy DefaultRouteSettings AccessLogSettings"


def _create_stage(subject: Subject) -> str:
    return str(subject.aws.create_stage(**_stage(subject), **subject.pick(f"{_OF_STAGE} Tags"))["StageName"])


def _update_stage(subject: Subject) -> None:
    """Make the stage again under its name: moto has no UpdateStage."""
    found_or(None, lambda: subject.aws.delete_stage(**_stage(subject)), "NotFoundException")
    _create_stage(subject)


_OF_AUTHORIZER = "AuthorizerType IdentitySource Name JwtConfiguration"


def _authorizer(subject: Subject) -> str:
    """API Gateway reads the issuer's documents when an authorizer is made, and refuses one whom it cannot reach."""
    issuer = subject.api["JwtConfiguration"]["Issuer"]
    try:
        Tokens().keys(issuer, 0.0)
    except IssuerError as error:
        raise ValueError(f"BadRequestException: Invalid issuer: {error}") from error
    asked = subject.pick(f"ApiId {_OF_AUTHORIZER}")
    if subject.id:
        return str(subject.aws.update_authorizer(AuthorizerId=subject.id, **asked)["AuthorizerId"])
    return str(subject.aws.create_authorizer(**asked)["AuthorizerId"])


def _update_api(subject: Subject) -> None:
    if subject.api.get("CorsConfiguration") is None:
        subject.aws.delete_cors_configuration(ApiId=subject.id)
    else:
        subject.aws.update_api(ApiId=subject.id, **subject.pick("CorsConfiguration"))


KINDS = (
    Kind(
        type="AWS::ApiGatewayV2::Api",
        service="apigatewayv2",
        properties="""Name ProtocolType CorsConfiguration.AllowOrigins CorsConfiguration.AllowMethods
            CorsConfiguration.AllowHeaders CorsConfiguration.MaxAge CorsConfiguration.AllowCredentials""",
        tags=("Tags",),
        create=lambda s: str(s.aws.create_api(**s.pick("Name ProtocolType CorsConfiguration Tags"))["ApiId"]),
        read=lambda s: s.aws.get_api(ApiId=s.id),
        update=_update_api,
        updates="CorsConfiguration",
        defaults={"CorsConfiguration": None},
        replaces="ProtocolType",
        delete=lambda s: s.aws.delete_api(ApiId=s.id),
    ),
    Kind(
        type="AWS::ApiGatewayV2::Stage",
        service="apigatewayv2",
        properties="""ApiId StageName AutoDeploy AccessLogSettings.DestinationArn AccessLogSettings.Format
            DefaultRouteSettings.ThrottlingBurstLimit DefaultRouteSettings.ThrottlingRateLimit""",
        tags=("Tags",),
        create=_create_stage,
        read=lambda s: s.aws.get_stage(**_stage(s)) | s.pick("ApiId"),
        update=_update_stage,
        updates=_OF_STAGE,
        defaults=dict.fromkeys(_OF_STAGE.split()),
        replaces="ApiId StageName",
        delete=lambda s: s.aws.delete_stage(**_stage(s)),
    ),
    _part(
        "Route",
        "RouteKey Target AuthorizationType AuthorizerId AuthorizationScopes",
        AuthorizerId="",
        AuthorizationScopes=[],
    ),
    Kind(
        type="AWS::ApiGatewayV2::Authorizer",
        service="apigatewayv2",
        properties="""ApiId AuthorizerType IdentitySource Name JwtConfiguration.Issuer
            JwtConfiguration.Audience""",
        create=_authorizer,
        read=lambda s: s.aws.get_authorizer(ApiId=s.api["ApiId"], AuthorizerId=s.id) | s.pick("ApiId"),
        update=_authorizer,
        updates=_OF_AUTHORIZER,
        replaces="ApiId",
        delete=lambda s: s.aws.delete_authorizer(ApiId=s.api["ApiId"], AuthorizerId=s.id),
    ),
    _part("Integration", "IntegrationType IntegrationUri PayloadFormatVersion TimeoutInMillis"),
)

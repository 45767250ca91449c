"""Which route a request meets: pure, for any set of routes."""

from hypothesis import given
from hypothesis import strategies as st

from local.routes import Route, match

SEGMENT = st.sampled_from(["a", "b", "{x}", "{y}"])
KEYS = st.lists(st.tuples(st.sampled_from(["GET", "POST", "ANY"]), st.lists(SEGMENT, min_size=1, max_size=3)))
PATHS = st.lists(st.sampled_from(["a", "b", "c", "%20"]), min_size=1, max_size=3)


def route(method: str, segments: list[str]) -> Route:
    return Route(f"{method} /{'/'.join(segments)}", method, tuple(segments), "NONE", "arn", 29)


@given(KEYS, st.sampled_from(["GET", "POST"]), PATHS)
def test_a_route_that_equals_the_request_always_wins(
    keys: list[tuple[str, list[str]]], method: str, path: list[str]
) -> None:
    segments = [segment.replace("%20", " ") for segment in path]
    exact = route(method, segments)
    found = match([*(route(*key) for key in keys), exact], method, "/" + "/".join(path))
    assert found is not None
    assert (found[0].method, list(found[0].segments), found[1]) == (method, segments, {})


@given(KEYS, st.sampled_from(["GET", "POST"]), PATHS)
def test_the_order_of_the_routes_does_not_matter_and_parameters_rebuild_the_path(
    keys: list[tuple[str, list[str]]], method: str, path: list[str]
) -> None:
    # two routes that differ in a variable's name only cannot both exist in an API
    unique = {(m, tuple("{}" if s.startswith("{") else s for s in segments)): (m, segments) for m, segments in keys}
    routes = [route(*key) for key in unique.values()]
    text = "/" + "/".join(path)
    found = match(routes, method, text)
    assert found == match(routes[::-1], method, text)
    if found:
        rebuilt = [found[1].get(segment[1:-1], segment) for segment in found[0].segments]
        names = [segment for segment in found[0].segments if segment.startswith("{")]
        if len(set(names)) == len(names):
            assert rebuilt == [segment.replace("%20", " ") for segment in path]


def test_a_variable_is_never_empty_and_a_trailing_slash_is_another_path() -> None:
    routes = [route("GET", ["models", "{name}"])]
    assert match(routes, "GET", "/models/") is None
    assert match(routes, "GET", "/models/x/") is None
    assert match(routes, "GET", "/models/x%2Fy") == (routes[0], {"name": "x/y"})

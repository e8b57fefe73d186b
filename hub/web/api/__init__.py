"""The API, version 1: one table of operations gives the routes, the checks and the OpenAPI document."""

from hub.web.api.routes import blueprint

__all__ = ["blueprint"]

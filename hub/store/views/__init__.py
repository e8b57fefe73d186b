"""Read models: what pages, the API and the command line show. Nothing here writes."""

from hub.store.views.pages import BadCursorError, Page

__all__ = ["BadCursorError", "Page"]

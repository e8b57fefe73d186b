"""The field-map engine: from a platform's records to canonical documents, as YAML files say.

    document = load("shopify/orders.yml").apply(raw)

The format and every transform are described in docs/reference/field-maps.md.
"""

from hub.mapping.field_map import FieldMap, compile_map, load
from hub.mapping.preview import Preview, preview
from hub.mapping.selectors import Env
from hub.mapping.source import MapError
from hub.mapping.tables import CodeTable, table

__all__ = ["CodeTable", "Env", "FieldMap", "MapError", "Preview", "compile_map", "load", "preview", "table"]

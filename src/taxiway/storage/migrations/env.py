"""What alembic runs: it works on the connection that it is given, inside that connection's transaction."""

from typing import Any, Literal

from alembic import context

from taxiway.storage.database import metadata
from taxiway.storage.exact import ExactFloat


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our column types as the plain ones they are kept in: a migration stands still when the code moves on."""
    if kind == "type" and isinstance(item, ExactFloat):
        return 'sa.Float().with_variant(sa.BLOB(), "sqlite")'
    if kind == "type" and type(item).__module__ == "taxiway.storage.database":
        return f"sa.{item.impl_instance.__class__.__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render_item,
)
context.run_migrations()
